#!/usr/bin/env bash
# Install the Debian programs that some tests need. If that is not permitted, print the command.
# The exit code is 0 in both cases: a test without its program is skipped, and says so
# (tests/makul_testing/external/requirements.py). `--check` installs nothing, and exits with 1 if one
# is missing. `--interop` is for the other SOAP stacks that `make interop` needs too.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

declare -A packages=(
    [nginx]=nginx-light [xmlsec1]=xmlsec1 [softhsm2-util]=softhsm2 [openssl]=openssl
    [systemd-analyze]=systemd [chromium]=chromium [pdfinfo]=poppler-utils
    ["/usr/lib/*/libpangoft2-1.0.so.0"]=libpangoft2-1.0-0
    ["/usr/lib/*/libharfbuzz-subset.so.0"]=libharfbuzz-subset0
    [/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf]=fonts-dejavu-core
)
names="nginx, xmlsec1, SoftHSM2, openssl, systemd, Chromium, Poppler and Pango"
check=false
target=test-deps
for option in "$@"; do
    case "$option" in
        --check) check=true ;;
        --interop)
            target=interop-deps
            names="PHP's SoapClient, gSOAP and g++"
            packages=(
                [php]=php-cli ["/usr/lib/php/*/soap.so"]=php-soap [g++]=g++
                [soapcpp2]=gsoap [/usr/include/stdsoap2.h]=libgsoap-dev
                [/usr/include/openssl/evp.h]=libssl-dev [/usr/include/zlib.h]=zlib1g-dev
            ) ;;
        *) echo "test-deps: unknown option: $option. Use --check or --interop." >&2; exit 2 ;;
    esac
done

# Finds a program by its name, and a library or module by one of its files.
missing() {
    for part in "${!packages[@]}"; do
        if [[ "$part" == /* ]]; then
            compgen -G "$part" >/dev/null || echo "${packages[$part]}"
        else
            command -v "$part" >/dev/null || echo "${packages[$part]}"
        fi
    done
}

# RUNLEVEL=1: the package's service is installed, but not started.
install() {
    timeout 300 "$@" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install --yes --quiet --no-install-recommends "${absent[@]}"
}

mapfile -t absent < <(missing)
if [[ ${#absent[@]} -eq 0 ]]; then
    echo "test-deps: $names are installed"
    exit 0
fi
if $check; then
    echo "test-deps: missing: ${absent[*]}. Run make $target to install them." >&2
    exit 1
fi

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo --non-interactive); fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    install "${as_root[@]}" || {
        timeout 300 "${as_root[@]}" apt-get update --quiet && install "${as_root[@]}"
    } || true
fi

mapfile -t absent < <(missing)
if [[ ${#absent[@]} -gt 0 ]]; then
    echo "test-deps: NOT INSTALLED: ${absent[*]}; tests that need them are skipped. Run as root:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${absent[*]}" >&2
fi
