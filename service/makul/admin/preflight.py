"""Checks of the settings before any worker starts, and before each reload."""

import os
import stat
from pathlib import Path

from makul.admin.error_handling import as_operator_error, open_store_for
from makul.admin.errors import OperatorError
from makul.app.ports import Duty
from makul.composition.adapters import build_adapters, utc_now
from makul.composition.channels import build_channel
from makul.composition.portals import build_identification
from makul.config.settings import Environment, Port, Settings, TlsSettings, load_settings
from makul.language.translation import translate, translate_cause
from makul.net.files import read_bounded
from makul.store import samples_to_move
from makul.store.schema.roles import weaknesses
from makul.trust.keys.files import MAX_CERTIFICATES_BYTES
from makul.trust.pki.certificates import is_sandbox
from makul.trust.pki.trust_material import ca_certificates

_DUTIES = {
    Port.RECIPIENT: Duty.SERVING,
    Port.OVERSIGHT: Duty.OVERSIGHT,
    Port.SUBJECT: Duty.SUBJECT,
}
_NO_DOCUMENT = b'<Nothing xmlns="urn:makul:nothing" Id="nothing"></Nothing>'


def require_fit_settings(settings: Settings) -> None:
    """Raise `OperatorError` if the service must not run with these settings."""
    _refuse_sandbox_roots(settings)
    _require_citizen_policy(settings)
    _require_closed_socket_directories(settings)
    duty = _duty_of(settings)
    require_strong_store(settings, duty)
    if duty is Duty.SERVING:  # the roles of the other ports cannot read persons
        _refuse_samples_in_records(settings)


def _duty_of(settings: Settings) -> Duty:
    """Return the duty of a process that serves these listeners, which all have one port."""
    ports = {listener.port for listener in settings.listeners.values()}
    (port,) = ports if len(ports) == 1 else (Port.RECIPIENT,)
    return _DUTIES[port]


def require_strong_store(settings: Settings, duty: Duty) -> None:
    """Require a database role with exactly the privileges of the duty, in production.

    Raises `OperatorError` or `StoreUnavailableError`.
    """
    if settings.environment is Environment.PRODUCTION:
        for weakness in weaknesses(settings.place, duty):
            raise OperatorError(
                translate("the record store is not fit for production: {problem}", problem=weakness)
            )


def _refuse_samples_in_records(settings: Settings) -> None:
    """Refuse records that still hold samples, because their comparison takes longer.

    The longer time would disclose that the record exists (docs/architecture.md, invariant 6).
    Raises `OperatorError` or `StoreUnavailableError`.
    """
    if settings.environment is Environment.PRODUCTION:
        left = samples_to_move(settings.place)
        if left:
            raise OperatorError(
                translate(
                    "{number} records still hold their samples: finish the upgrade of the store;"
                    " give:"
                    " makul store upgrade --apply",
                    number=left,
                )
            )


def find_configuration_error(config: Path, listener: str | None) -> str | None:
    """Return why these settings cannot be served at present, or None if they can.

    Everything is built once before any worker starts, so that an error is reported once.
    """
    try:
        with as_operator_error():
            settings = load_settings(config)
            require_fit_settings(settings)
            if listener is not None and listener not in settings.listeners:
                return translate("no listener {listener} any more", listener=listener)
            _check_parts(settings)
    except OperatorError as error:
        return str(error)
    return None


def _check_parts(settings: Settings) -> None:
    store = open_store_for(settings)
    try:
        parts = build_adapters(settings, store)
        for listener in settings.listeners.values():
            build_channel(listener, parts)
            _check_tls(listener.tls)
        if settings.subject is not None:
            build_identification(settings.subject, parts.subject)
        # Sign a dummy document so that a missing PKCS#11 token is reported at start-up rather than
        # by the first request.
        parts.signer.sign(_NO_DOCUMENT, at=utc_now())
    finally:
        store.close()


def _check_tls(tls: TlsSettings | None) -> None:
    """Read the files of TLS within a bound. OpenSSL would wait for the writer of a pipe."""
    if tls is not None:
        for path in (tls.certificate, tls.key, tls.client_ca):
            read_bounded(path, MAX_CERTIFICATES_BYTES)


def _refuse_sandbox_roots(settings: Settings) -> None:
    """Refuse sandbox roots in production: their keys are readable and would admit anyone."""
    if settings.environment is Environment.SANDBOX:
        return
    for directory in (settings.trust.anchors, settings.trust.tsa_anchors):
        for path, certificate in ca_certificates(directory) if directory is not None else ():
            if is_sandbox(certificate):
                raise OperatorError(
                    translate(
                        "{path} is a sandbox root; take it out of the trust anchors", path=path
                    )
                )


def _require_citizen_policy(settings: Settings) -> None:
    """Require a policy of citizens' certificates in production.

    Without it, a CA for organisations could certify citizens as well.
    """
    if settings.environment is Environment.PRODUCTION and not settings.trust.pin_policies:
        raise OperatorError(
            translate(
                "trust.pin_policies is not set: name the policy of citizens' certificates, so"
                " that no other authority can certify citizens",
            )
        )


def _require_closed_socket_directories(settings: Settings) -> None:
    """Raise `OperatorError` if another user could replace the socket of a listener.

    The front would send that user the recipients' requests, which contain citizens' PINs.
    """
    if settings.environment is not Environment.PRODUCTION:
        return
    for name, listener in settings.listeners.items():
        if listener.socket_path is not None:
            weakness = _directory_weakness(listener.socket_path.parent)
            if weakness is not None:
                raise OperatorError(f"listeners.{name}.bind: {weakness}")


def _directory_weakness(directory: Path) -> str | None:
    """Return the fault of a socket's directory and its remedy, or None if it is closed."""
    try:
        resolved = directory.resolve(strict=True)
        for each in (resolved, *resolved.parents):
            status = each.stat()
            sticky = each != resolved and bool(status.st_mode & stat.S_ISVTX)
            if status.st_mode & stat.S_IWOTH and not sticky:
                return translate(
                    "every user may write to {directory}. Use a directory of the service's user"
                    " with"
                    " mode 0750, such as /run/makul.",
                    directory=each,
                )
            if status.st_uid not in (0, os.geteuid()):
                return translate(
                    "{directory} belongs to another user. Use a directory of the service's user"
                    " with"
                    " mode 0750, such as /run/makul.",
                    directory=each,
                )
    except OSError as error:
        return translate(
            "{directory} cannot be used: {cause}. Use a directory of the service's user with"
            " mode 0750, such as /run/makul.",
            directory=directory,
            cause=translate_cause(error.strerror),
        )
    return None
