#!/bin/sh
# read.sh WORK FILE.gguf: what the npm package @huggingface/gguf reads. The package is installed into WORK, once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
file=$(realpath "$2")
mkdir -p "$1"
cp "$here/package.json" "$here/package-lock.json" "$here/read.mjs" "$1"
cd "$1"
( flock 9
  [ -d node_modules/@huggingface/gguf ] || npm ci --no-audit --no-fund --silent
) 9>.lock
node read.mjs "$file"
