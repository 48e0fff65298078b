#!/usr/bin/env bash
# Debian programs that some tests run against: installed where that may be done, else the command is
# told. Exit 0 either way: a test without its program is skipped, and says so (tests/support/needs.py).
# `--check` installs nothing, and exits 1 where one is missing.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

declare -A packages=(
    [nginx]=nginx-light [xmlsec1]=xmlsec1 [softhsm2-util]=softhsm2 [openssl]=openssl
    [systemd-analyze]=systemd
)

missing() {
    for program in "${!packages[@]}"; do
        command -v "$program" >/dev/null || echo "${packages[$program]}"
    done
}

# RUNLEVEL=1: a package's service is installed, not started.
install() {
    timeout 300 "$@" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install --yes --quiet --no-install-recommends "${wanted[@]}"
}

mapfile -t wanted < <(missing)
if [[ ${#wanted[@]} -eq 0 ]]; then
    echo "test-deps: nginx, xmlsec1, SoftHSM2, openssl and systemd are there"
    exit 0
fi
if [[ "${1:-}" == --check ]]; then
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
