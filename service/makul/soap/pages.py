"""The pages for people: the start page, and the page for an unknown address.

They disclose nothing beyond GetStatus and repeat nothing of the request: no software version, no
path, no header. They run no script and load nothing.
"""

from collections.abc import Iterable
from html import escape
from typing import Final, NamedTuple

from makul.soap.versions import Reply

PORT_METHODS: Final = "GET, POST"
"""The methods that the address of a port allows (RFC 9110, 10.2.1)."""

_HEADERS: Final = (
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
)


class _Words(NamedTuple):
    """The texts of all pages in one language."""

    language: str
    about: str
    files: str
    ready: str
    not_ready: str
    health: str
    nowhere: str
    only_posted: str
    home: str


_LANGUAGES: Final = (
    _Words(
        language="ky",
        about="Макул — улуттук биометрикалык маалымат базасынан маалыматты ага укугу бар"
        " алуучуларга гана берүүчү SOAP сервиси. Ар бир берүү макулдукка же мыйзамдагы негизге"
        " таянат жана жазылат.",
        files="Сервистин сүрөттөмөлөрү:",
        ready="Абалы: сервис суроо-талаптарды кабыл алат.",
        not_ready="Абалы: сервис азыр суроо-талаптарга жооп бере албайт. Кийинчерээк кайталаңыз.",
        health="Абалды программа менен текшерүү:",
        nowhere="Бул даректе эч нерсе жок.",
        only_posted="Бул дарек SOAP билдирүүсүн POST менен кабыл алат, сүрөттөмөсү: ?wsdl.",
        home="Башкы бет",
    ),
    _Words(
        language="ru",
        about="Макул — сервис SOAP, который передаёт данные национальной базы биометрических"
        " данных только имеющим на них право получателям. Каждая передача опирается на согласие"
        " или основание в законе и записывается.",
        files="Описания сервиса:",
        ready="Состояние: сервис принимает запросы.",
        not_ready="Состояние: сервис сейчас не может отвечать на запросы. Повторите позже.",
        health="Проверка состояния программой:",
        nowhere="По этому адресу ничего нет.",
        only_posted="Этот адрес принимает сообщения SOAP методом POST, описание — по ?wsdl.",
        home="Главная страница",
    ),
    _Words(
        language="en",
        about="Makul is a SOAP service that gives data of the national biometric database to"
        " recipients who are entitled to them, and to nobody else. Each disclosure rests on a"
        " consent or a basis in law and is recorded.",
        files="Descriptions of the service:",
        ready="Status: the service takes requests.",
        not_ready="Status: the service cannot answer requests now. Try again later.",
        health="Status for programs:",
        nowhere="There is nothing at this address.",
        only_posted="This address takes SOAP messages by POST; ?wsdl describes it.",
        home="Start page",
    ),
)

_WSDLS: Final = (
    ("wsdl", "SOAP 1.1"),
    ("wsdl=soap12", "SOAP 1.2"),
    ("wsdl=xroad", "X-Road"),
)


def home(path: str, *, ready: bool) -> Reply:
    """Return the page at `/`: the service, its WSDLs, and whether it accepts requests."""
    links = "".join(
        f'<li><a href="{escape(path)}?{query}">{name}</a></li>' for query, name in _WSDLS
    )
    sections = (
        f"<p>{words.about}</p><p>{words.ready if ready else words.not_ready}</p>"
        f"<p>{words.files}</p><ul>{links}</ul>"
        f'<p>{words.health} <a href="/healthz">/healthz</a></p>'
        for words in _LANGUAGES
    )
    return _page(200, sections)


def nowhere() -> Reply:
    """Return the page at every other address. It does not repeat the address."""
    sections = (f'<p>{words.nowhere} <a href="/">{words.home}</a></p>' for words in _LANGUAGES)
    return _page(404, sections)


def only_posted() -> Reply:
    """Return the page at the address of the port for a GET without a query."""
    sections = (f'<p>{words.only_posted} <a href="/">{words.home}</a></p>' for words in _LANGUAGES)
    return _page(405, sections, ("Allow", PORT_METHODS))


def _page(status: int, sections: Iterable[str], *headers: tuple[str, str]) -> Reply:
    body = "".join(
        f'<section lang="{words.language}">{section}</section>'
        for words, section in zip(_LANGUAGES, sections, strict=True)
    )
    page = (
        '<!DOCTYPE html><html lang="ky"><head><meta charset="utf-8"><title>Makul</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        f"<body><h1>Makul</h1>{body}</body></html>\n"
    )
    return Reply(
        status=status,
        content_type="text/html; charset=utf-8",
        chunks=(page.encode(),),
        headers=(*_HEADERS, *headers),
    )
