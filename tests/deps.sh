#!/usr/bin/env bash
# Debian programs that some tests run against: installed where that may be done, else the command is
# told. Exit 0 either way: a test without its program is skipped, and says so (tests/makul_testing/external/requirements.py).
# `--check` installs nothing, and exits 1 where one is missing. `--interop` is about the SOAP stacks of
# others that `make interop` needs besides.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

declare -A packages=(
    [nginx]=nginx-light [xmlsec1]=xmlsec1 [softhsm2-util]=softhsm2 [openssl]=openssl
    [systemd-analyze]=systemd
)
names="nginx, xmlsec1, SoftHSM2, openssl and systemd"
check=false
for option in "$@"; do
    case "$option" in
        --check) check=true ;;
        --interop)
            names="PHP's SoapClient, gSOAP and g++"
            packages=(
                [php]=php-cli ["/usr/lib/php/*/soap.so"]=php-soap [g++]=g++
                [soapcpp2]=gsoap [/usr/include/stdsoap2.h]=libgsoap-dev
                [/usr/include/openssl/evp.h]=libssl-dev [/usr/include/zlib.h]=zlib1g-dev
            ) ;;
        *) echo "test-deps: unknown option: $option. Use --check or --interop." >&2; exit 2 ;;
    esac
done

# A program by its name, a library or module by a file of it.
missing() {
    for part in "${!packages[@]}"; do
        if [[ "$part" == /* ]]; then
            compgen -G "$part" >/dev/null || echo "${packages[$part]}"
        else
            command -v "$part" >/dev/null || echo "${packages[$part]}"
        fi
    done
}

# RUNLEVEL=1: a package's service is installed, not started.
install() {
    timeout 300 "$@" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install --yes --quiet --no-install-recommends "${wanted[@]}"
}

mapfile -t wanted < <(missing)
if [[ ${#wanted[@]} -eq 0 ]]; then
    echo "test-deps: $names are there"
    exit 0
fi
if $check; then
    echo "test-deps: missing: ${wanted[*]}" >&2
    exit 1
fi

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo --non-interactive); fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    install "${as_root[@]}" || {
        timeout 300 "${as_root[@]}" apt-get update --quiet && install "${as_root[@]}"
    } || true
fi

mapfile -t wanted < <(missing)
if [[ ${#wanted[@]} -gt 0 ]]; then
    echo "test-deps: NOT INSTALLED: ${wanted[*]}; tests that need them are skipped. As root:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${wanted[*]}" >&2
fi
