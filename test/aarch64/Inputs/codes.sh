#!/bin/sh
# codes.sh PYTHON INPUTS FOLDER: products of codes, compiled for both architectures; logits bit by bit, by FOLDER/run and by xfmr-run.
python=$1 inputs=$2 prompt=1,5,9,22,3,17,4
cd "$3" && $python "$inputs/wide_model.py" wide || exit 1
for scheme in int8 q4_k; do
  for triple in x86_64 aarch64; do
    xfmr-compile wide --passes="xfmr-quantize{scheme=$scheme}" --target=cpu --triple=$triple-linux-gnu -o $triple.xfm 2> log.txt || exit 1
  done
  XFMR_CPU_LEVEL=v3 xfmr-run x86_64.xfm --prompt-ids $prompt -n 0 --ids --logits here --device cpu > /dev/null || exit 1
  ./run aarch64.xfm --prompt-ids $prompt -n 0 --logits there > /dev/null || exit 1
  cmp here there && echo "$scheme: the bits of x86-64"
done
# A CPU without them, and XFMR_CPU_LEVEL, take the level below, which rounds no rows.
QEMU_CPU=cortex-a72 ./run aarch64.xfm --prompt-ids $prompt -n 0 --logits old > /dev/null || exit 1
XFMR_CPU_LEVEL=neon ./run aarch64.xfm --prompt-ids $prompt -n 0 --logits low > /dev/null || exit 1
cmp old low && ! cmp -s old there && echo "without dot products as asked"
! QEMU_CPU=cortex-a72 XFMR_CPU_LEVEL=neon_dot ./run aarch64.xfm --prompt-ids 1 -n 0 --logits no 2>&1
