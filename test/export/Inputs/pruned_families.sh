#!/bin/sh
# pruned_families.sh PYTHON SOURCE FOLDER: miniatures cut by passes and exported, against the cut model itself. Two lines each.
set -e
python=$1 source=$2 folder=$3
cut() { # FAMILY PASSES OPTION..
  family=$1 passes=$2
  shift 2
  $python "$source/scripts/make-fixture" "$family" "$folder/$family" --bare "$@"
  xfmr-export "$folder/$family" --passes="$passes" --format=hf -o "$folder/$family-cut" 2> "$folder/$family.notes" || cat "$folder/$family.notes"
  xfmr-import "$folder/$family" -o "$folder/$family.mlir"
  xfmr-opt "$folder/$family.mlir" --pass-pipeline="builtin.module($passes)" -o "$folder/$family-cut.mlir" 2> "$folder/$family.cut"
  echo "$family"
  $python "$source/test/export/Inputs/same_logits.py" "$folder/$family-cut" "$folder/$family-cut.mlir" --ids 1,7,5,14,9,10 | tail -1
}
groups='xfmr-prune-heads{heads=2 mode=kv-groups}'
heads='xfmr-prune-heads{heads=2}'
ffn='xfmr-prune-ffn{width=16}'
experts='xfmr-prune-experts{experts=4}'
layers='xfmr-prune-layers{keep=1}'
for family in bert distilbert electra modernbert opt gpt_neo; do
  cut $family "$groups,$ffn,$layers"
done
for family in falcon gpt_bigcode glm glm4 helium; do
  cut $family "$heads,$ffn,$layers"
done
for family in bloom mpt; do
  cut $family "$ffn,$layers"
done
cut minimax_m2 "$experts,$ffn,$layers"
for family in dots1 granitemoeshared; do
  cut $family "$heads,$experts,$ffn,$layers"
done
