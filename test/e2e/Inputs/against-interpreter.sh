# Sourced: against_interpreter LABEL MODEL N TOLERANCE WORDS..: greedy ids (N of them) and the logits of every position of
# MODEL, compiled with WORDS, against those of the interpreter. Uses $python, $scripts, $folder and $ids; ends on a difference.
against_interpreter() {
  label=$1 checked=$2 n=$3 tolerance=$4
  shift 4
  if [ "$checked" != "$interpreted" ]; then
    xfmr-interpret "$checked" --prompt-ids $ids -n "$n" --ids --ignore-eos --logits "$folder/want.safetensors" > "$folder/want"
    interpreted=$checked
  fi
  xfmr-compile "$checked" --kv f32 --levels=native -o "$folder/m.xfm" "$@"
  xfmr-run "$folder/m.xfm" --prompt-ids $ids -n "$n" --ids --ignore-eos --logits "$folder/got.safetensors" > "$folder/got"
  cmp "$folder/got" "$folder/want"
  $python "$scripts/check_logits.py" "$folder/got.safetensors" "$folder/want.safetensors" --tolerance "$tolerance"
  echo "ok: $label"
}
