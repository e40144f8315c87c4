#!/usr/bin/env bash
# Runs the digits example on this machine: make quickstart. It installs what is missing, and shows what it does meanwhile.
#
# Building pipec and installing Python packages take most of the time on a new machine, so both happen at once.
set -euo pipefail
cd "$(dirname "$0")/.."

# shows prints how far a build of $1 packages is, from what go prints: the modules that it downloads, and with -v the packages
# that it compiles. Other lines, such as errors, are printed as they are.
shows() {
  local line packages=0 modules=0
  while IFS= read -r line; do
    case "$line" in
      "go: downloading "*)
        modules=$((modules + 1))
        progress "$modules" "downloaded $modules modules"
        ;;
      *[!A-Za-z0-9._/~-]*) clear_line && printf '%s\n' "$line" ;;
      *)
        packages=$((packages + 1))
        progress "$packages" "compiled $packages of at most $1 packages"
        ;;
    esac
  done
  clear_line
}

# progress prints a text, on a terminal in place of the last one, elsewhere for each hundredth number.
progress() {
  if [ -t 1 ]; then
    printf '\r\033[Kpipec: %s' "$2"
  elif [ $(($1 % 100)) = 0 ]; then
    echo "pipec: $2"
  fi
}

clear_line() { [ ! -t 1 ] || printf '\r\033[K'; }

build() {
  local list
  list="$(mktemp)"
  go list -deps ./cmd/pipec 2>&1 >"$list" | shows 0
  GOFLAGS="${GOFLAGS:-} -v" "${MAKE:-make}" --no-print-directory -s bin/pipec 2>&1 | shows "$(wc -l <"$list" | tr -d ' ')"
  rm -f "$list"
  echo "pipec: bin/pipec is built"
}

# lines prints lines beside the progress of the build.
lines() {
  local line
  while IFS= read -r line; do
    clear_line && printf '%s\n' "$line"
  done
}

command -v go >/dev/null || exec "${MAKE:-make}" --no-print-directory -s bin/pipec # which reports what is missing
echo "pipec: building bin/pipec; the first time takes a minute or two"
set -m # in a group of its own, so that Ctrl-C of the build can't be lost
build &
building=$!
set +m
trap 'kill -- "-$building" 2>/dev/null || true' EXIT
python=0
scripts/python-deps.sh examples/digits | lines || python=$?
wait "$building"
trap - EXIT
[ "$python" = 0 ] || exit "$python"
echo "pipec run: examples/digits"
bin/pipec run -C examples/digits --stack local

cat <<'END'

That was examples/digits, on this machine. Next:

  bin/pipec graph -C examples/digits                                  the pipeline, drawn
  bin/pipec runs -C examples/digits --stack local                     the runs so far
  bin/pipec run -C examples/digits --stack local --param gamma=0.01   another one, with another gamma
  bin/pipec run -C examples/shell --stack local                       a pipeline without Python
  bin/pipec init -C /tmp/mine                                         a project of your own
END
