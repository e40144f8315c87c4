#!/usr/bin/env bash
# Builds the image of the digits example of Debian's own packages, and pushes it to where pipec looks for it.
#
#   scripts/digits-image.sh [REFERENCE]
#
# Without REFERENCE the place is asked of bin/pipec, for the stack and the variables of the environment. It takes root and
# Debian's mirror the first time; the image is then kept in ~/.cache/pipec/images, and pushing it takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

packages="python3-sklearn python3-pandas"

say() { echo "digits image: $*"; }
die() {
  echo "digits image: $*" >&2
  exit 1
}

reference="${1:-}"
if [ -z "$reference" ]; then
  [ -x bin/pipec ] || die "there is no bin/pipec to ask for the image's place: make build"
  reference="$(bin/pipec -C examples/digits push --list | awk '$1 == "image" && $2 == "digits" { print $3 }')"
  [ -n "$reference" ] || die "pipec push --list names no image \"digits\""
fi

suite=bookworm
if . /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ]; then suite="${VERSION_CODENAME:-$suite}"; fi
inputs="$(cat scripts/digits-image.sh internal/tarimage/main.go; echo "$suite $(uname -m)")"
images="${XDG_CACHE_HOME:-$HOME/.cache}/pipec/images"
image="$images/digits-$(printf %s "$inputs" | sha256sum | cut -c1-16)"

tool="$(mktemp -d)"
trap 'rm -rf "$tool"' EXIT
go build -o "$tool/tarimage" ./internal/tarimage

# sources prints where apt has Debian from, for mmdebstrap.
sources() {
  local lines
  lines="$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
    grep " $suite" | sort -u)" || true
  echo "${lines:-deb http://deb.debian.org/debian $suite main}"
}

# slim, in the new root, removes what is for compiling, reading and testing; packages can't be installed without it.
slim='cd "$1" && rm -rf usr/share/doc/* usr/share/man/* usr/share/locale/* usr/include/* usr/lib/gcc/* usr/bin/*-linux-gnu-* \
  usr/libexec/gcc var/cache/apt var/lib/apt/lists && find usr/lib \( -name "*.a" -o -type d -name tests \) -prune -exec rm -rf {} +'

# build makes the root file system and the image of it.
build() {
  [ "$(id -u)" = 0 ] || die "building it takes root"
  command -v apt-get >/dev/null || die "building it takes apt-get and Debian's mirror"
  if ! command -v mmdebstrap >/dev/null; then
    say "installing mmdebstrap"
    install_mmdebstrap >"$tool/log" 2>&1 || { tail -n 15 "$tool/log" >&2; die "mmdebstrap could not be installed"; }
  fi
  local options=() proxy
  while IFS= read -r proxy; do
    options+=(--aptopt="$proxy")
  done < <(apt-config dump | grep -iE '^Acquire::https?::Proxy(::[^ ]+)? ".+"')
  say "building it from Debian's packages; this takes some minutes, once"
  sources | SOURCE_DATE_EPOCH=0 mmdebstrap --quiet --variant=minbase --include="${packages// /,}" \
    --aptopt='APT::Install-Recommends "false"' "${options[@]}" \
    --customize-hook='ln -s python3 "$1/usr/bin/python"' --customize-hook="$slim" \
    --customize-hook='chroot "$1" python3 -c "import pandas, sklearn.svm; from sklearn.datasets import load_digits; load_digits()"' \
    "$suite" "$tool/rootfs.tar" - >"$tool/log" 2>&1 || { tail -n 15 "$tool/log" >&2; die "mmdebstrap failed"; }
  mkdir -p "$images"
  find "$images" -maxdepth 1 -name 'digits-*' -exec rm -rf {} + # older ones, and what was left half-made
  "$tool/tarimage" -tar "$tool/rootfs.tar" -layout "$image.new" python3
  mv "$image.new" "$image"
}

install_mmdebstrap() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends mmdebstrap)
  "${install[@]}" </dev/null || { apt-get -o DPkg::Lock::Timeout=120 update -qq && "${install[@]}" </dev/null; }
}

if [ ! -d "$image" ]; then build; fi
say "$reference"
"$tool/tarimage" -layout "$image" -push "$reference"
