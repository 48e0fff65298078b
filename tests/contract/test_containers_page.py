"""Pages about containers, compared with compose.yaml and the programs."""

import re

import pytest
from container_files import IMAGE, OURS, SERVICES, mounts
from document_commands import Programs, simple_commands
from document_pages import Page

from makul_testing.paths import ROOT

PAGE = Page.of(ROOT / "docs" / "operating" / "containers.md", ROOT)
GUIDES = [Page.of(ROOT / "docs" / language / "operators.md", ROOT) for language in ("ky", "ru")]


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs((ROOT / "Makefile").read_text(encoding="utf-8"))


def docker_commands() -> list[list[str]]:
    pages = (PAGE, *GUIDES)
    lines = [line for page in pages for _, line in page.shell_lines(frozenset({"console"}))]
    spans = [span for page in pages for _, span in page.spans()]
    return [
        words
        for line in (*lines, *spans)
        for words in simple_commands(line.replace("$(", "("))
        if words[:1] == ["docker"]
    ]


def test_the_page_runs_services_and_commands_that_there_are(programs: Programs) -> None:
    """What stands after the name of a service is a command of makul."""
    executed = set()
    for words in docker_commands():
        if words[1:3] == ["compose", "run"]:
            assert words[3] == "--rm"
            executed.add(words[4])
            assert "operator" in OURS[words[4]]["profiles"]
            assert programs.untrue(["makul", *words[5:]], whole=True) is None, words
        elif words[1] == "compose":
            bare = [word for word in words[2:] if not word.startswith("-")]
            named = {"exec": bare[1:2], "kill": bare[-1:], "restart": bare[1:], "up": bare[1:]}
            assert set(named.get(bare[0], ())) <= SERVICES.keys(), words
        elif IMAGE in words and words[1] == "run":
            program = "makul-client" if "makul-client" in words else "makul"
            arguments = words[words.index(IMAGE) + 1 :]
            assert (
                programs.untrue([program, *arguments], whole="--version" not in arguments) is None
            ), words

    assert executed == {"owner", "desk"}


def test_the_table_of_services_is_that_of_the_file() -> None:
    """User, directory and role."""
    rows = {row.cells[0]: row.cells for row in PAGE.table("Service")}
    assert rows.keys() == SERVICES.keys()
    for name, (_, command, user, directory, role) in rows.items():
        service = SERVICES[name]
        assert service["user"].split(":")[0] == user
        assert directory in mounts(service) or directory.startswith("volume ")
        url = service.get("environment", {}).get("MAKUL_DATABASE_URL", "")
        assert (re.findall(r"//(\w+)@", url) or [""]) == [role]
        if "command" in service:
            assert command.split()[1:] == service["command"][: len(command.split()) - 1]


def test_what_the_page_makes_belongs_to_the_user_that_needs_it() -> None:
    """Each directory and each password file that a service mounts is made, with its owner."""
    users = {
        source.removeprefix("SITE/"): each["user"]
        for each in SERVICES.values()
        for source in mounts(each).values()
        if source.startswith("SITE/") and each["user"] != SERVICES["nginx"]["user"]
    }
    files = {
        place: words[words.index("-o") + 1] + ":" + words[words.index("-g") + 1]
        for _, line in PAGE.shell_lines(frozenset({"console"}))
        if line.startswith("install -d") and "-o" in line
        for words in [line.split()]
        for place in (word.removeprefix("$SITE/") for word in words if word.startswith("$SITE/"))
    }
    ledger = users.pop("makul-ledger/published", None)
    assert ledger == SERVICES["desk"]["user"]  # which only reads it
    assert {place: files.get(place) for place in users} == users
    owned = {
        name: owner
        for owner, name in re.findall(r"chown (\d+:\d+) ([\w.]+)$", PAGE.text, re.MULTILINE)
    }
    needed = {
        secret: each["user"] for each in SERVICES.values() for secret in each.get("secrets", ())
    }
    assert owned == needed
