#!/bin/bash
# equality.sh DUMP WORK FOLDER [SAMPLE FILE...]: our ids (the program DUMP) against those of npm's
# @huggingface/tokenizers for the tokenizer in FOLDER. Works in WORK. Exit status 77: no npm here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dump=$1 work=$2 folder=$3
shift 3

if ! command -v npm >/dev/null; then
  echo "SKIPPED: npm is not installed, nothing was compared with @huggingface/tokenizers"
  exit 77
fi
if [ ! -e "$folder/tokenizer.json" ]; then
  echo "SKIPPED: $folder/tokenizer.json does not exist, nothing was compared"
  exit 77
fi
samples=()
for sample in "$@"; do
  if [ -e "$sample" ]; then
    samples+=("$sample")
  else
    echo "skipped the sample file $sample: it does not exist"
  fi
done

mkdir -p "$work"
cp "$here"/package.json "$here"/package-lock.json "$here"/*.mjs "$work"
cd "$work"
( flock 9
  [ -d node_modules/@huggingface/tokenizers ] || npm ci --no-audit --no-fund --silent
) 9>.lock

name=$(basename "$folder")
node generate.mjs ${samples[@]+"${samples[@]}"} > "$name.records"
node encode.mjs "$folder" < "$name.records" > "$name.npm"
"$dump" "$folder" < "$name.records" > "$name.ours"
count=$(wc -l < "$name.npm")
if ! cmp "$name.npm" "$name.ours"; then
  echo "records that differ (< npm, > ours):"
  diff "$name.npm" "$name.ours" | head -40 || true
  exit 1
fi
if [ "$count" -lt 2000 ]; then
  echo "only $count records were compared, expected at least 2000"
  exit 1
fi
echo "$name: $count records give the same ids"
