#!/usr/bin/env bash
# Makes the pictures in tests/plot/golden anew, for tests/cli/plot.t; look at them before you commit them.
# Usage: tests/plot/golden.sh [MMPROF]
set -euo pipefail
cd "$(dirname "$0")/../.."
mmprof=${1:-build/mmprof}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
python3 tests/plot/figures.py "$out/planted.db" --missing
for f in bars cdf cpu residency; do
	"$mmprof" plot "$f" --db "$out/planted.db" --out "$out" --format png
	convert "$out/$f.png" -strip -resize 500x -colorspace Gray +dither -colors 16 "tests/plot/golden/$f.png"
done
