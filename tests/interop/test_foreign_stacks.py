"""Other SOAP stacks call a running sandbox, with code from the WSDL and default settings.

CXF with WSS4J and gSOAP with its own plugin sign by WS-Security. PHP's SoapClient cannot sign, so
it uses mtls, in SOAP 1.1 and 1.2; so does gowsdl, which ignores namespaces.
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from makul_testing.external.foreign_software import Sandbox, answers, run
from makul_testing.external.requirements import NOTHING_SKIPPED, found

HERE = Path(__file__).parent
WSDL = HERE.parents[1] / "wsdl" / "v1" / "recipient.wsdl"
PLUGIN = Path("/usr/share/gsoap/plugin")


def need(*programs: str) -> None:
    """Skip if a Debian program is missing, or fail if no test may be skipped."""
    missing = [program for program in programs if found(program) is None]
    if missing:
        why = f"needs {', '.join(missing)}: make interop-deps"
        pytest.fail(why) if os.environ.get(NOTHING_SKIPPED) else pytest.skip(why)


def write(path: Path, tasks: list[list[str]]) -> str:
    path.write_text("".join("\t".join(task) + "\n" for task in tasks), encoding="utf-8")
    return str(path)


def surname(sandbox: Sandbox, document_name: str) -> str:
    number = sandbox.document(document_name)["citizen"]
    citizen = next(each for each in sandbox.index["citizens"] if each["number"] == number)
    return str(citizen["surname"]["latin"])


def test_cxf_signs_by_wss4j_and_decrypts(sandbox: Sandbox, java: list[str], tmp_path: Path) -> None:
    """The answers are released, refused, a typed fault, and encrypted, which Santuario decrypts.

    WSS4J writes InclusiveNamespaces into CanonicalizationMethod and into Transform.
    """
    tasks = [
        sandbox.task("bank-00-data", label="released", channel="wsse"),
        sandbox.task("expired", label="refused", channel="wsse"),
        sandbox.task("bank-01-data", label="fault", channel="wsse", pin="1"),
        sandbox.task("wallet-00-data", label="sealed", channel="wsse"),
    ]

    outcomes = answers(run([*java, "interop.Ask", write(tmp_path / "tasks", tasks)]))

    assert outcomes == {
        "released": ("RELEASED", "", surname(sandbox, "bank-00-data")),
        "refused": ("REFUSED", "CNS-04", ""),
        "fault": ("FAULT", "REQ-01 pin", ""),
        "sealed": ("RELEASED", "", " ".join(sandbox.document("wallet-00-data")["attributes"])),
    }


@pytest.mark.parametrize(("version", "wsdl"), [("1.1", "wsdl"), ("1.2", "wsdl=soap12")])
def test_php_calls_with_soap_client(
    sandbox: Sandbox, version: str, wsdl: str, tmp_path: Path
) -> None:
    """The answers over mtls are released, refused and a typed fault, in both SOAP versions."""
    need("php")
    common = [
        sandbox.file("service/anchors/root.pem"),
        f"{sandbox.index['urls']['wsse']}?{wsdl}",
        version,
    ]
    tasks = [
        sandbox.task("bank-02-data", label="released", channel="mtls") + common,
        sandbox.task("expired", label="refused", channel="mtls") + common,
        sandbox.task("bank-03-data", label="fault", channel="mtls", pin="1") + common,
    ]

    outcomes = answers(
        run(["php", str(HERE / "php" / "ask.php"), write(tmp_path / "tasks", tasks)])
    )

    assert outcomes == {
        "released": ("RELEASED", "", surname(sandbox, "bank-02-data")),
        "refused": ("REFUSED", "CNS-04", ""),
        "fault": ("FAULT", "REQ-01 pin", ""),
    }


@pytest.fixture(scope="session")
def gsoap(requested: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build a client that wsdl2h and soapcpp2 generate, with gSOAP's own WS-Security plugin."""
    need("wsdl2h", "soapcpp2", "g++")
    home = tmp_path_factory.mktemp("gsoap")
    run(["wsdl2h", "-o", "contract.h", str(WSDL)], cwd=home)
    header = home / "contract.h"
    header.write_text(f'#import "wsse.h"\n{header.read_text()}')
    imports = "-I/usr/share/gsoap/import:/usr/share/gsoap"
    run(["soapcpp2", "-C", "-j", "-x", imports, "contract.h"], cwd=home)
    options = ["-O0", "-w", "-DWITH_OPENSSL", "-DWITH_DOM", f"-I{PLUGIN}", "-I."]
    sources = [
        HERE / "gsoap" / "ask.cpp",
        home / "soapC.cpp",
        home / "soapRecipientSoap11Proxy.cpp",
        *(PLUGIN / f"{name}.c" for name in ("wsseapi", "smdevp", "mecevp", "threads")),
        PLUGIN.parent / "custom" / "struct_timeval.c",
    ]
    with ThreadPoolExecutor(max_workers=2) as compilers:
        jobs = [["g++", *options, "-xc++", "-c", str(source)] for source in sources]
        list(compilers.map(lambda job: run(job, cwd=home, seconds=300), jobs))
    objects = [f"{source.stem}.o" for source in sources]
    libraries = ["-lgsoapssl++", "-lssl", "-lcrypto", "-lz", "-lpthread"]
    run(["g++", "-o", "ask", *objects, *libraries], cwd=home)
    return str(home / "ask")


def test_gsoap_signs_with_its_own_plugin(sandbox: Sandbox, gsoap: str, tmp_path: Path) -> None:
    """The answers over wsse are released, refused and a typed fault."""
    tasks = [
        sandbox.task("bank-04-data", label="released", channel="wsse"),
        sandbox.task("expired", label="refused", channel="wsse"),
        sandbox.task("bank-05-data", label="fault", channel="wsse", pin="1"),
    ]

    outcomes = answers(run([gsoap, write(tmp_path / "tasks", tasks)]))

    assert outcomes == {
        "released": ("RELEASED", "", surname(sandbox, "bank-04-data")),
        "refused": ("REFUSED", "CNS-04", ""),
        "fault": ("FAULT", "REQ-01 pin", ""),
    }


@pytest.fixture(scope="session")
def go(requested: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build a client of gowsdl's generated code, which go vet checks as well."""
    if found("go") is None:
        pytest.skip("needs Go 1.22 or newer on the PATH, and github.com/hooklift/gowsdl")
    home = tmp_path_factory.mktemp("go")
    shutil.copytree(HERE / "go", home, dirs_exist_ok=True)
    run(["go", "build", "-o", "gowsdl", "github.com/hooklift/gowsdl/cmd/gowsdl"], cwd=home)
    generate = ["./gowsdl", "-p", "contract", "-d", ".", "-o", "contract.go"]
    for name in ("recipient-xroad", "recipient-soap12", "recipient"):
        run([*generate, str(WSDL.with_name(f"{name}.wsdl"))], cwd=home)
        run(["go", "vet", "./contract"], cwd=home)
    run(["go", "build", "-o", "ask", "."], cwd=home)
    return str(home / "ask")


def test_gowsdl_calls_with_its_own_client(sandbox: Sandbox, go: str, tmp_path: Path) -> None:
    """Its code for each WSDL compiles; the answers over mtls are released, refused and a typed
    fault.
    """
    anchors = [sandbox.file("service/anchors/root.pem")]
    tasks = [
        sandbox.task("bank-06-data", label="released", channel="mtls") + anchors,
        sandbox.task("expired", label="refused", channel="mtls") + anchors,
        sandbox.task("bank-07-data", label="fault", channel="mtls", pin="1") + anchors,
    ]

    outcomes = answers(run([go, write(tmp_path / "tasks", tasks)]))

    assert outcomes == {
        "released": ("RELEASED", "", surname(sandbox, "bank-06-data")),
        "refused": ("REFUSED", "CNS-04", ""),
        "fault": ("FAULT", "REQ-01 pin", ""),
    }
