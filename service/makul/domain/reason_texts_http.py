"""Texts of what is expected of an HTTP request, for each part that a reason names in `field`.

They replace the text of the code, which is about more than HTTP. They follow the text of a cause.
They state limits and media types, and no value of a request.
"""

from typing import Final

from makul.domain.reason_texts import Text
from makul.domain.reasons import Code, Reason

_EXPECTATIONS: Final = {
    (Code.REQ_01, "Content-Length"): Text(
        ky="Билдирүү толук келген жок: анын узундугу Content-Length көрсөткөндөй болууга тийиш.",
        ru="Сообщение пришло не полностью: его длина должна быть такой, как указано в "
        "Content-Length.",
        en="The message did not arrive whole: it must be as long as Content-Length says.",
    ),
    (Code.REQ_01, "Transfer-Encoding"): Text(
        ky="Билдирүү толук келген жок: бөлүктөрү (chunked) RFC 9112 боюнча аягына чейин "
        "жөнөтүлүшү керек.",
        ru="Сообщение пришло не полностью: его части (chunked) должны быть отправлены по RFC "
        "9112 до конца.",
        en="The message did not arrive whole: its chunks must follow RFC 9112 and have their end.",
    ),
    (Code.REQ_01, "Envelope"): Text(
        ky="POST суроо-талабынын денеси SOAP Envelope болууга тийиш.",
        ru="Телом запроса POST должен быть SOAP Envelope.",
        en="The body of the POST must be a SOAP Envelope.",
    ),
    (Code.REQ_01, "method"): Text(
        ky="Бул дарек мындай ыкманы кабыл албайт: Allow уруксат берилгендерин атайт. SOAP "
        "билдирүүсү сервистин дарегине POST менен жөнөтүлөт.",
        ru="Этот адрес не принимает такой метод: допустимые названы в Allow. Сообщение SOAP "
        "отправляют методом POST по адресу сервиса.",
        en="This address does not take this method: Allow names those that it takes. Send a SOAP "
        "message by POST to the address of the service.",
    ),
    (Code.REQ_02, "address"): Text(
        ky="Бул дарек билдирүү же файл бербейт жана кабыл албайт. Сервистин дарегин WSDL көрсөтөт.",
        ru="По этому адресу нет ни порта, ни файла. Адрес сервиса указан в WSDL.",
        en="There is no port and no file at this address. The WSDL gives the service's address.",
    ),
    (Code.REQ_07, "Content-Type"): Text(
        ky="Content-Type text/xml (SOAP 1.1) же application/soap+xml (SOAP 1.2) болуп, "
        "билдирүү UTF-8 коддоосунда, multipart бөлүктөрсүз болууга тийиш.",
        ru="Content-Type должен быть text/xml (SOAP 1.1) или application/soap+xml (SOAP "
        "1.2), а сообщение — в кодировке UTF-8 и без частей multipart.",
        en="Content-Type must be text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2), and "
        "the message must be in UTF-8 and without multipart attachments.",
    ),
    (Code.REQ_07, "Content-Encoding"): Text(
        ky="Билдирүү кысылбай, Content-Encoding жок жөнөтүлүүгө тийиш.",
        ru="Сообщение должно быть отправлено без сжатия, без Content-Encoding.",
        en="The message must be sent without compression and without Content-Encoding.",
    ),
    (Code.REQ_07, "Content-Length"): Text(
        ky="Content-Length — бир сан; билдирүү 4 MiB дан, RegisterConsent 16 MiB дан чоң "
        "болбоого тийиш.",
        ru="Content-Length — одно число; сообщение должно быть не больше 4 MiB, "
        "RegisterConsent — 16 MiB.",
        en="Content-Length must be one number; a message may have 4 MiB, and RegisterConsent "
        "16 MiB.",
    ),
    (Code.REQ_07, "Transfer-Encoding"): Text(
        ky="Content-Length же Transfer-Encoding: chunked гана берилүүгө тийиш, экөө бирге эмес.",
        ru="Должен быть указан либо Content-Length, либо Transfer-Encoding: chunked, но не "
        "оба сразу.",
        en="Either Content-Length or Transfer-Encoding: chunked must be given, and not both.",
    ),
    (Code.REQ_07, "DOCTYPE"): Text(
        ky="Билдирүүдө документ түрүнүн жарыясы (DOCTYPE, ENTITY) болбоого тийиш.",
        ru="В сообщении не должно быть объявления типа документа (DOCTYPE, ENTITY).",
        en="The message must not declare a document type (DOCTYPE, ENTITY).",
    ),
}


def with_expectation(said: Text, reason: Reason) -> Text:
    """Return the text with what is expected of the part of HTTP that a reason names, if any.

    If the reason has a cause, the expectation follows the cause's text.
    """
    expected = _EXPECTATIONS.get((reason.code, reason.field or ""))
    if expected is None:
        return said
    if reason.cause is None:
        return expected
    return Text(
        ky=f"{said.ky} {expected.ky}", ru=f"{said.ru} {expected.ru}", en=f"{said.en} {expected.en}"
    )
