#!/usr/bin/env bash
# Builds .venv from requirements.lock, or writes requirements.lock from pyproject.toml.
#
#   .ci/environment.sh build           .venv anew, from the lock; what `make` calls when .venv is not up to date
#   .ci/environment.sh lock            the lock anew; keeps the versions it holds where pyproject.toml allows
#   .ci/environment.sh lock upgrade    the lock anew, with the newest versions that pyproject.toml allows
#
# PYTHON       the Python to build with (python3)
# TORCH_INDEX  where torch alone comes from, when not from pip's own places
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="${PYTHON:-python3}"
torch_index="${TORCH_INDEX:-}"
export PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONPATH # someone's own packages must not count as installed

fail() {
    echo "$*" >&2
    exit 1
}

check_python() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "'$python' is missing or older than Python 3.11. Name another one: make PYTHON=/path/to/python3.11 ..."
}

# pip_install PYTHON TOTAL ARGUMENT...: pip, with one line a package: [3/140] numpy==2.4.6
pip_install() {
    local venv_python="$1" total="$2"
    shift 2
    # pip warns of every package that one of several local indexes lacks; other warnings and all errors are shown.
    "$venv_python" -m pip install --progress-bar off "$@" 2> >(grep -v 'is ignored: it is neither a file' >&2) |
        show_progress "$total"
}

show_progress() {
    local total="$1" count=0 line
    while IFS= read -r line; do
        case "$line" in
        "Collecting "* | "Processing "*)
            count=$((count + 1))
            line="${line#* }"
            line="${line%% (from *}"
            # More than the lock names: the GPU packages of a CUDA build.
            if [ "$count" -gt "$total" ]; then total=0; fi
            if [ "$total" -gt 0 ]; then echo "  [$count/$total] ${line##*/}"; else echo "  [$count] ${line##*/}"; fi
            ;;
        "  Building wheel for "*": started") line="${line#  }" && echo "  ${line%% (*} ..." ;;
        "Installing collected packages"*) echo "  unpacking (a minute or two) ..." ;;
        esac
    done
}

# install_torch VENV REQUIREMENT: torch alone, from TORCH_INDEX. What torch needs comes with the rest, from the lock.
install_torch() {
    pip_install "$1/bin/python" 1 --no-deps --index-url "$torch_index" "$2"
}

build() {
    local venv=.venv
    check_python
    echo "building $venv (once; two to five minutes where torch is the CPU build) ..."
    rm -rf "$venv"
    "$python" -m venv "$venv"
    cp requirements.lock "$venv/installing.lock"
    local total
    total="$(grep -c '^[^#]' "$venv/installing.lock")"
    if [ -n "$torch_index" ]; then
        install_torch "$venv" "$(grep '^torch==' "$venv/installing.lock")"
    fi
    pip_install "$venv/bin/python" "$total" -r "$venv/installing.lock"
    # From here on nothing needs the network: setuptools is in the lock.
    "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
    # Last, so that an interrupted build is begun again.
    mv "$venv/installing.lock" "$venv/requirements.lock"
    echo "$venv is complete"
}

lock() {
    check_python
    # Not local: the trap runs when this function is gone.
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    local venv="$work/venv" keep="$work/keep.txt"
    "$python" -m venv "$venv"
    if [ "${1:-}" = upgrade ] || [ ! -f requirements.lock ]; then
        : >"$keep"
    else
        grep '^[^#]' requirements.lock >"$keep"
    fi
    # A pin that pyproject.toml no longer allows makes pip stop and say so: `make lock UPGRADE=1` is the way on.
    if [ -n "$torch_index" ]; then
        install_torch "$venv" "$(grep '^torch==' "$keep" || echo torch)"
    fi
    "$venv/bin/python" - >"$work/needs.txt" <<'EOF'
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
print(*project["dependencies"], *project["optional-dependencies"]["test"], sep="\n")
EOF
    pip_install "$venv/bin/python" 0 -c "$keep" -r "$work/needs.txt"
    # --all because freeze leaves setuptools out on older Pythons; the local suffix says which build, not which version.
    "$venv/bin/python" -m pip freeze --all --exclude pip --exclude wheel | sed -E 's/\+[A-Za-z0-9.]+$//' >"$work/pins.txt"
    if grep -E '^(nvidia-|cuda-|triton|pytorch-triton)|@ ' "$work/pins.txt" >&2; then
        fail "The lock is made on a CPU build of torch and from released packages, so it cannot hold the above." \
            "Try: make lock TORCH_INDEX=https://download.pytorch.org/whl/cpu"
    fi
    {
        echo "# Exact versions of everything in the environment, for Python 3.11 and newer. Written by \`make lock\`:"
        echo "# pip freeze of a fresh environment that holds the dependencies of pyproject.toml and its extra \`test\`,"
        echo "# with a CPU build of torch and without local suffixes (+cpu). No hashes, and no GPU packages: pip adds"
        echo "# what the platform's build of torch needs."
        cat "$work/pins.txt"
    } >"$work/requirements.lock"
    mv "$work/requirements.lock" requirements.lock
    echo "wrote requirements.lock: $(wc -l <"$work/pins.txt" | tr -d ' ') packages"
}

case "${1:-}" in
build) build ;;
lock) lock "${2:-}" ;;
*) fail "usage: .ci/environment.sh build | lock [upgrade]" ;;
esac
