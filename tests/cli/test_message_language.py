"""The language of the operator's messages: errors, results, warnings, hints and tables."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from makul.admin import runtime
from makul.admin.sequencer_rounds import SequencerRounds
from makul.domain.calendar import USUAL_YEARS
from makul.language.domain_messages import DOMAIN_MESSAGES
from makul.language.report_reasons import REASON_TEMPLATES, translate_reason
from makul.language.translation import Language, current_language, translate_to, use_language
from makul.ledger.signed_note import ED25519, VerifierKey
from makul_testing.builders.xades import Forge
from makul_testing.cli_runner import CommandLine, install_anew
from makul_testing.paths import ROOT
from makul_testing.pki.authorities import NOW, Authority, StoreFiles
from makul_testing.raw_sql import raw, without_guards

TRANSLATED = (Language.KY, Language.RU)

SAME_EVERYWHERE = re.compile(
    r"`[^`]*`|'[^'\n]*'|makul:? [a-z][a-z -]*|--[a-z-]+|\S*[/=]\S*|[\w-]*[0-9_.]\S*|\b[A-Z]\w*"
)
"""Commands, options, paths, keys, codes and abbreviations, which are not translated."""


def english(text: str) -> list[str]:
    """Return what may be English: two words in small Latin letters that follow each other."""
    return re.findall(r"\b[a-z]{2,} [a-z]{2,}\b", SAME_EVERYWHERE.sub("#", text))


def in_language(makul: CommandLine, language: Language) -> CommandLine:
    """Return the same installation for an operator who reads another language."""
    return CommandLine(makul.directory, {"MAKUL_LANGUAGE": language, "COLUMNS": "300"})


@pytest.fixture
def inhabited(makul: CommandLine, tmp_path: Path) -> CommandLine:
    """An installation with a recipient, a notice and files to give to commands."""
    makul.run_json(
        "recipient", "add", "COM/60000001", "--kind", "BANK", "--name", "Банк", "--apply"
    )
    notice = tmp_path / "notice.txt"
    notice.write_text("Текст", encoding="utf-8")
    languages = [part for each in ("ky", "ru", "en") for part in (f"--{each}", str(notice))]
    makul.run_json("notice", "add", "N-1", *languages, "--apply")
    for name, content in FILES.items():
        (makul.directory / name).write_bytes(content)
    return makul


FILES = {
    "empty.pem": b"",
    "key.pem": b"-----BEGIN PRIVATE KEY-----\n",
    "text.pem": b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    "no-value.toml": b"number = 1\nstate =\n",
    "twice.toml": b'number = "1"\nnumber = "2"\n',
    "key.vkey": b"log+1+2\n",
    "no-state.toml": b'number = "1"\n',
    "broken.toml": b"number = \xff\n",
    "state.toml": b'state = "DRAFT"\n',
    "misspelt.toml": b'nummer = "2026/014"\n',
    "empty.csv": b"\n",
    "pipes.csv": b"pin|surname.ky\n",
    "data.csv": b"21505198590001,x\n",
    "unknown.csv": b"pin,gender\n",
    "utf16.csv": "pin,sex\n".encode("utf-16"),
    "bad-lines.csv": b"pin,sex,birthDate,locked\n1,M,,\n21505198590001,X,,\n"
    b"21505198590001,M,1985-13-01,\n21505198590001,M,,maybe\n21505198590001,M\n",
    "number.toml": b'number = "no. 1"\n',
    "year.toml": b"number = '1'\nrecipient = 'COM/1'\nvalid_from = 1800-01-01\n",
    "people.txt": b"",
    "text": "Текст".encode(),
}

_WITNESS = ("ledger", "witness", "--key", "{key.vkey}", "--state", "{new}", "--once")
_LOG_KEY = str(VerifierKey(name="log.example/makul", kind=ED25519, public=bytes(32)))

ERRORS: tuple[tuple[str, ...], ...] = (
    ("recipient", "add", "COM/60000001", "--kind", "BANK", "--name", "Банк"),
    ("recipient", "add", "COM/60000002", "--kind", "BANK", "--name", ""),
    ("recipient", "hold", "COM/60000009", "--reason", "x"),
    ("recipient", "hold", "COM/60000001", "--reason", ""),
    ("recipient", "release", "COM/60000001", "--reason", "x"),
    ("recipient", "certificate", "COM/60000001", "{empty.pem}"),
    ("recipient", "certificate", "COM/60000001", "{key.pem}"),
    ("recipient", "certificate", "COM/60000001", "{text.pem}"),
    ("agreement", "add", "{no-state.toml}"),
    ("agreement", "add", "{broken.toml}"),
    ("agreement", "add", "{no-value.toml}"),
    ("agreement", "add", "{twice.toml}"),
    ("agreement", "add", "{state.toml}"),
    ("agreement", "add", "{misspelt.toml}"),
    ("agreement", "show", "2026/014"),
    ("agreement", "submit", "{empty.pem}"),
    ("notice", "show", "N-9"),
    ("person", "import", "{empty.csv}"),
    ("person", "import", "{pipes.csv}"),
    ("person", "import", "{data.csv}"),
    ("person", "import", "{unknown.csv}"),
    ("person", "import", "{utf16.csv}"),
    ("person", "import", "{people.txt}"),
    ("person", "search", "--reason", "x"),
    ("person", "search", "--reason", "x", "--document", "1", "--birth-date", "x"),
    ("person", "show", "21505198590001", "--reason", "x"),
    ("person", "set", "21505198590001", "gender", "M", "--reason", "x"),
    ("person", "set", "21505198590001", "pin", "x", "--reason", "x"),
    ("person", "set", "21505198590001", "sex", "--reason", "x"),
    ("disclosure", "show", "01933f2c-7b1e-7c52-9d0a-0c8f3f0e6a11"),
    ("disclosure", "export", "--month", "2026-11", "--reveal"),
    ("document", "verify", "{no-such-file}"),
    ("document", "verify", "{empty.pem}", "--at", "yesterday"),
    ("document", "verify", "{empty.pem}", "--bogus"),
    ("key", "compromised", "x", "--since", "2026-11-20T09:00:00Z"),
    ("key", "rotate", "--prepare", "--activate"),
    ("key", "rotate", "--activate"),
    ("key", "retire", "0123"),
    ("ledger", "export"),
    ("ledger", "recover"),
    ("ledger", "witness"),
    ("ledger", "witness", "--new-key", "{new}"),
    ("ledger", "witness", "--new-key", "{new}", "--name", "a b"),
    ("ledger", "witness", "--new-key", "{text}", "--name", "witness.example/w1"),
    (*_WITNESS, "--log", "https://log.example/?x", "--log-key", "x"),
    (*_WITNESS, "--log", "{no-such-file}", "--log-key", "x"),
    (*_WITNESS, "--log", "{.}", "--log-key", "{key.vkey}"),
    (*_WITNESS, "--log", "{.}", "--log-key", "log+1"),
    (*_WITNESS, "--log", "{.}", "--log-key", _LOG_KEY),
    (*_WITNESS, "--log", "{.}", "--log-key", _LOG_KEY, "--also", "https://log.example"),
    ("store", "grant", "Role!", "--for", "desk"),
    ("store", "grant", "role", "--for", "desk", "--apply"),
    ("sandbox", "issue", "--output", "{new}"),
    ("init", "{.}", "--operator", "GOV/70000001", "--name", "X"),
    ("serve", "--listener", "none"),
    ("metrics",),
    ("trust", "status"),
    ("signatory", "withdraw", "COM/60000001", "{empty.pem}", "--reason", "x"),
    ("notice", "add", "N-1", "--ky", "{text}", "--ru", "{text}", "--en", "{text}", "--apply"),
    ("notice", "approval", "N-9"),
    ("recipient", "hold", "60000001", "--reason", "x"),
    ("person", "show", "123", "--reason", "x"),
    ("disclosure", "statistics", "--month", "november"),
    ("agreement", "add", "{number.toml}"),
    ("agreement", "add", "{year.toml}"),
)
"""Commands that fail, each by another message. A name in braces is a file of the installation."""

RESULTS: tuple[tuple[str, ...], ...] = (
    ("recipient", "add", "COM/60000002", "--kind", "BANK", "--name", "Банк"),
    ("recipient", "list"),
    ("recipient", "hold", "COM/60000001", "--reason", "x"),
    ("signatory", "list"),
    ("agreement", "list"),
    ("notice", "list"),
    ("notice", "show", "N-1"),
    ("person", "import", "{bad-lines.csv}"),
    ("person", "count"),
    ("disclosure", "list"),
    ("disclosure", "repetitions"),
    ("disclosure", "statistics", "--month", "2026-11"),
    ("key", "show", "--fields"),
    ("key", "rotate"),
    ("key", "rotate", "--prepare"),
    ("store", "status"),
    ("store", "months"),
    ("store", "upgrade"),
    ("ledger", "status"),
)
"""Commands whose results, previews, hints and tables have words."""


def _arguments(makul: CommandLine, command: tuple[str, ...]) -> list[str]:
    return [str(makul.directory / each[1:-1]) if each.startswith("{") else each for each in command]


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("command", ERRORS, ids=" ".join)
def test_an_error_is_in_the_language(
    inhabited: CommandLine, command: tuple[str, ...], language: Language
) -> None:
    """The exit code is that of the English error."""
    arguments, spoken = _arguments(inhabited, command), in_language(inhabited, language)
    plain, translated = inhabited(*arguments), spoken(*arguments)

    assert translated.code == plain.code != 0
    assert re.search("[а-яё]", translated.err, re.IGNORECASE), translated
    assert translated.err != plain.err
    assert english(translated.err) == []


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("command", RESULTS, ids=" ".join)
def test_a_result_is_in_the_language(
    inhabited: CommandLine, command: tuple[str, ...], language: Language
) -> None:
    """Tables, previews and hints; JSON is the same as in English."""
    arguments, spoken = _arguments(inhabited, command), in_language(inhabited, language)
    plain, translated = inhabited(*arguments), spoken(*arguments)

    assert translated.code == plain.code
    assert re.search("[а-яё]", translated.out, re.IGNORECASE), translated
    assert english(translated.out + translated.err) == []


@pytest.mark.parametrize(
    "command", [each for each in RESULTS if each != ("ledger", "status")], ids=" ".join
)
def test_json_has_the_same_keys_in_each_language(
    inhabited: CommandLine, command: tuple[str, ...]
) -> None:
    """Keys, codes and the names of changes: programs read them."""
    arguments = [*_arguments(inhabited, command), "--json"]
    plain, translated = inhabited(*arguments), in_language(inhabited, Language.KY)(*arguments)

    assert translated.code == plain.code
    assert _shape(translated.json) == _shape(plain.json)


def _shape(value: object) -> object:
    """Return JSON without the texts of messages, which are in the language."""
    if isinstance(value, dict):
        return {
            key: len(each or "") > 0 if key in {"faults", "causes", "note"} else _shape(each)
            for key, each in value.items()
        }
    return [_shape(each) for each in value] if isinstance(value, list) else value


def test_an_error_in_json_has_a_translated_message(inhabited: CommandLine) -> None:
    """The kind and the code are the same."""
    arguments = ("agreement", "show", "2026/014", "--json")
    error = in_language(inhabited, Language.RU)(*arguments).json["error"]

    assert (error["kind"], error["exit_code"]) == ("OperatorError", 1)
    assert error["message"] == "соглашения с таким номером нет; см.: makul agreement list"


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace('channel = "wsse"', 'channel = "x"'),
            "must be one of {expected}",
        ),
        (lambda text: text + "\nnothing = 1\n", "no such key"),
        (lambda text: text.replace("keys/receipts.cert.pem", "none.pem"), None),
        (lambda text: text.replace('bind = "127.0.0.1:8080"', 'bind = "0.0.0.0:8080"'), None),
        (lambda text: text.replace('publish = "published"', ""), "is missing"),
    ],
)
def test_an_error_in_the_settings_is_in_the_language(
    inhabited: CommandLine, change: Callable[[str], str], message: str | None, language: Language
) -> None:
    """The key and the permitted values stay as they are."""
    settings = inhabited.directory / "makul.toml"
    text = settings.read_text(encoding="utf-8")
    assert change(text) != text
    settings.write_text(change(text), encoding="utf-8")
    said = in_language(inhabited, language)("key", "show")

    assert said.code == 3, said
    assert english(said.err) == []
    if message is not None:
        assert translate_to(language, message).partition("{")[0] in said.err


@pytest.mark.parametrize("message", DOMAIN_MESSAGES)
def test_a_message_of_the_domain_is_the_one_of_its_source(message: str) -> None:
    """A message that changes in the domain would otherwise remain English."""
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "service/makul/domain").rglob("*.py")
    )

    assert f'"{message}"' in sources or message == USUAL_YEARS


def test_a_running_service_writes_its_log_in_english(
    inhabited: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of a log are compared and searched, so they are the same for every operator."""
    languages = []

    def serve(*_: object, **__: object) -> int:
        languages.append(current_language())
        return 0

    monkeypatch.setattr(runtime, "serve_one", serve)
    monkeypatch.setattr(runtime, "require_fit_settings", lambda settings: None)
    monkeypatch.setattr(runtime, "run_isolated", lambda check: None)
    monkeypatch.setattr(runtime, "configure_logging", lambda *_, **__: None)
    monkeypatch.setattr(runtime, "has_citizen_ca", lambda settings: True)

    assert in_language(inhabited, Language.KY)("serve").code == 0
    assert languages == [Language.EN]


def test_a_report_on_the_ledger_is_in_the_language(tmp_path: Path) -> None:
    """An installation of this moment, whose act does not wait too long."""
    makul = install_anew(tmp_path / "new")
    shown = in_language(makul, Language.KY)("ledger", "verify")

    assert shown.code == 0, shown
    assert "дал келет" in shown.out
    assert english(shown.out + shown.err) == []


def test_a_table_has_headings_in_the_language(inhabited: CommandLine) -> None:
    """Its values are the same."""
    said = in_language(inhabited, Language.RU)("recipient", "list")

    assert said.out.splitlines()[0].split() == ["код", "вид", "пункт", "имя", "состояние"]
    assert "COM/60000001" in said.out
    assert "BANK" in said.out


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("template", REASON_TEMPLATES)
def test_a_reason_with_values_is_in_the_language(template: str, language: Language) -> None:
    """A reason within it is translated too, and its other values stay."""
    why, values = "the document is not signed", {"name": "KeyInfo", "algorithm": "SHA-1"}
    values |= {"day": "2014-01-01", "hours": "6", "minutes": "00"}
    with use_language(language):
        said = translate_reason(template.format(why=f"certificate path: {why}", **values))
        nested = translate_to(language, why)

    assert english(said) == []
    assert (nested in said) is ("{why}" in template)


def test_a_reason_of_another_release_remains_as_it_is() -> None:
    """Stored reports keep the words of their time."""
    with use_language(Language.RU):
        assert translate_reason("worded in another way") == "worded in another way"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_report_is_in_the_language_for_people_alone(tmp_path: Path, language: Language) -> None:
    """The report itself is evidence in English. A table shows its reasons and verdicts."""
    root, other = Authority.root("A Root"), Authority.root("Another Root")
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl()])
    signed = Forge(holder=root.issue()).signed()
    directories = ("--anchors", files.anchors, "--crl", files.crls, "--at", NOW.isoformat())
    plain, file = CommandLine(tmp_path / "nowhere"), tmp_path / "document.xml"
    for document, why in (
        (signed, None),
        (b"<a/>", "the document is not signed"),
        (signed.replace(b"OPENING", b"CLOSING"), "a signed part was changed"),
        (Forge(holder=other.issue()).signed(), "certificate path: unknown issuer"),
    ):
        file.write_bytes(document)
        command = ("document", "verify", file, *directories)
        spoken = in_language(plain, language)
        shown, report = spoken(*command), spoken(*command, "--json").json
        skipped = [each["why"] for each in report["checks"] if each["verdict"] == "not run"]

        assert report == plain(*command, "--json").json
        assert report["why"] == why
        assert len(skipped) > 0
        with use_language(language):
            texts = [translate_reason(each) for each in (why, *skipped) if each is not None]
        for text in (*texts, translate_to(language, "not run")):
            assert text in shown.out
        assert english(shown.out) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_finding_in_the_ledger_is_in_the_language(tmp_path: Path, language: Language) -> None:
    """Its table and its record are named as they are in the database."""
    makul = install_anew(tmp_path / "new")
    with without_guards(makul.directory / "makul.db", "act") as database:
        database.execute("UPDATE act SET who = 'x'")
    said = in_language(makul, language)("ledger", "verify")

    assert said.code == 1, said
    assert translate_to(language, "{name} is not what the leaf commits to", name="who") in said.err
    assert english(said.out + said.err) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_deficiency_of_the_store_is_in_the_language(
    inhabited: CommandLine, language: Language
) -> None:
    """A missing trigger ends every command that opens the store."""
    with raw(inhabited.directory / "makul.db") as database:
        database.execute("DROP TRIGGER act_no_update")
    said = in_language(inhabited, language)("store", "status")

    assert said.code == 3, said
    assert english(said.err) == []
    assert re.search("[а-яё]", said.err, re.IGNORECASE), said


def test_the_sequencer_writes_its_log_in_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread asks for the language that is in use, as a service's do."""
    languages = []

    def run(_: SequencerRounds) -> bool:
        languages.append(current_language())
        return True

    monkeypatch.setattr(SequencerRounds, "run", run)
    makul = install_anew(tmp_path / "new")

    assert in_language(makul, Language.KY)("ledger", "run").code == 0
    assert languages == [Language.EN]
