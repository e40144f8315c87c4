#!/usr/bin/env bash
# Makes sure that the Python which pipec chooses for a project can import what its steps import.
#
#   scripts/python-deps.sh [--tests] PROJECT
#
# PROJECT/.venv is made where the python3 of PATH can't. --tests asks for what the tests of the Python runner import too.
# Quiet about what is already there.
set -euo pipefail

modules="sklearn pandas"
apt="python3-sklearn python3-pandas"
dnf="python3-scikit-learn python3-pandas"
pip="scikit-learn pandas"
if [ "${1:-}" = "--tests" ]; then
  shift
  modules="$modules PIL matplotlib"
  apt="$apt python3-pil python3-matplotlib"
  dnf="$dnf python3-pillow python3-matplotlib"
  pip="$pip pillow matplotlib"
fi
project="${1:?usage: python-deps.sh [--tests] PROJECT}"
venv="$project/.venv"

say() { echo "python: $*"; }
die() {
  echo "python: $*" >&2
  exit 1
}

log="$(mktemp)"
trap 'rm -f "$log"' EXIT

# quietly runs a command, and shows what it said only where it fails.
quietly() {
  "$@" >"$log" 2>&1 </dev/null && return
  tail -n 15 "$log" >&2
  return 1
}

can_import() {
  local python="$1"
  command -v "$python" >/dev/null || return 1
  "$python" -c "import ${modules// /, }" >/dev/null 2>&1
}

# as_root prints what to put before a command that takes root; it fails where there is no way to become root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    return 0
  fi
  command -v sudo >/dev/null || return 1
  if sudo -n true 2>/dev/null || [ -t 0 ]; then
    echo sudo
    return 0
  fi
  return 1
}

apt_install() {
  local sudo="$1"
  local install=($sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends $apt)
  local candidate
  candidate="$(LC_ALL=C apt-cache policy python3-sklearn 2>/dev/null | sed -n 's/^ *Candidate: //p')"
  if [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && "${install[@]}" >"$log" 2>&1 </dev/null; then
    return
  fi
  # The list of packages is missing, or older than the mirror.
  quietly $sudo apt-get -o DPkg::Lock::Timeout=120 update -qq && quietly "${install[@]}"
}

# system_install installs by the system's package manager. It fails where there is none that has the packages.
system_install() {
  local sudo
  if command -v apt-get >/dev/null; then
    sudo="$(as_root)" || { say "apt-get takes root, and sudo does not work here"; return 1; }
    say "installing $apt (apt-get)"
    apt_install "$sudo"
  elif command -v dnf >/dev/null; then
    sudo="$(as_root)" || { say "dnf takes root, and sudo does not work here"; return 1; }
    say "installing $dnf (dnf)"
    quietly $sudo dnf install -y -q $dnf
  elif command -v brew >/dev/null && ! command -v python3 >/dev/null; then
    say "installing python (brew)"
    quietly brew install python
    return 1 # brew has the interpreter; the packages come by pip
  else
    return 1
  fi
}

# link_venv makes a venv of the system's own packages. It takes no pip, and so no more than Python itself.
link_venv() {
  local python="$1"
  say "making $venv from $python, because the python3 in PATH lacks ${modules// /, }"
  rm -rf "$venv"
  quietly "$python" -m venv --without-pip --system-site-packages "$venv" && can_import "$venv/bin/python"
}

# give_up leaves no half a venv behind: pipec would choose it.
give_up() {
  rm -rf "$venv"
  die "$@"
}

# pip_venv makes a venv and downloads the packages into it.
pip_venv() {
  command -v python3 >/dev/null || die "there is no python3, and this script knows no way to install it here; install Python 3.9 or later"
  say "making $venv and installing $pip (pip)"
  rm -rf "$venv"
  quietly python3 -m venv "$venv" ||
    give_up "python3 can't make a venv with pip; install the system's package for that (on Debian: python3-venv), or run this as root"
  quietly "$venv/bin/python" -m pip install --quiet --retries 2 $pip ||
    give_up "pip could not install $pip; is there a network? (what pip said stands above)"
  can_import "$venv/bin/python" || give_up "$venv can't import ${modules// /, }, though pip installed them"
}

# chosen is the interpreter that pipec chooses now.
chosen() {
  if [ -n "${PIPEC_PYTHON:-}" ]; then
    echo "$PIPEC_PYTHON"
  elif [ -x "$venv/bin/python" ]; then
    echo "$venv/bin/python"
  elif [ -n "${VIRTUAL_ENV:-}" ]; then
    echo "$VIRTUAL_ENV/bin/python"
  else
    echo python3
  fi
}

if can_import "$(chosen)"; then
  exit 0
fi
if [ -n "${PIPEC_PYTHON:-}" ]; then
  die "PIPEC_PYTHON is $PIPEC_PYTHON, and that can't import ${modules// /, }; install them there, or unset it"
fi
if [ -e "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ]; then
  die "$venv exists and is not a venv; move it away"
fi
if ! can_import /usr/bin/python3 && ! system_install; then
  pip_venv
  exit 0
fi
rm -rf "$venv" # if it is there, it is one that can't import them
if can_import "$(chosen)"; then
  exit 0
fi
if can_import /usr/bin/python3 && link_venv /usr/bin/python3; then
  exit 0
fi
pip_venv
