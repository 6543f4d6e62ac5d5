#!/usr/bin/env bash
# Start vLLM for reading pages on one L4 (24 GB). Each flag has its reason beside it.
#
# VLLM_FLAGS overrides: a flag in it takes the place of the one here, e.g.
#   docker run -e VLLM_FLAGS='--max-num-seqs 32 --gpu-memory-utilization 0.85' …
set -euo pipefail

model=${MODEL_DIR:-/model}
if [ ! -f "$model/config.json" ]; then
  echo "no weights in $model: build the image with a MODEL_ID, or mount a model there" >&2
  exit 1
fi

flags=(
  # The container's own port; who may reach it is decided where it is published.
  --host 0.0.0.0
  --port 8000
  # One name whatever the weights are called.
  --served-model-name model
  # dots.ocr's configuration class comes with its weights.
  --trust-remote-code
  # The prompt as the model was taught: in "openai" format the picture would be in it twice.
  --chat-template-content-format string
  # One page a request; anything else is a mistake of the client.
  --limit-mm-per-prompt '{"image":1}'
  # No two pages share a beginning but the prompt, which stands behind the picture: no prefix is
  # ever found again, nor a picture, and looking costs time and memory.
  --no-enable-prefix-caching
  --mm-processor-cache-gb 0
  # A picture of 4 million pixels (5,102 tokens), the prompt and 10,000 tokens of answer.
  --max-model-len 16384
  # Profiling a picture of the model's own limit, 11.3 million pixels, can run out of memory. The
  # client asks for 2 million; its preflight refuses -m beyond this.
  --mm-processor-kwargs '{"max_pixels":4000000}'
  # The cache of 24 GB holds about 100 pages of 2 million pixels; past 64 at once the card computes
  # no more pages a second.
  --max-num-seqs 64
  # Up to six pictures are read in one step, and who is writing waits no longer than that.
  --max-num-batched-tokens 16384
  # Alone on its card; the rest is for what CUDA itself takes.
  --gpu-memory-utilization 0.90
  # Answers are streamed so that a loop is noticed. Each piece costs CPU time on both sides, so they
  # are sent by 32 tokens; the last one is not waited for.
  --stream-interval 32
)

read -ra more <<<"${VLLM_FLAGS:-}"
export -n VLLM_FLAGS # vLLM takes VLLM_… for its own variables, and warns of one it does not know
kept=() is_given=
for word in "${flags[@]}"; do # vLLM warns of a flag that is said twice
  case $word in
    --*)
      is_given=
      for other in "${more[@]}"; do [ "${other%%=*}" != "$word" ] || is_given=1; done
      ;;
  esac
  [ -n "$is_given" ] || kept+=("$word")
done
# exec: signals reach vLLM itself, so that a stopped container ends at once.
exec vllm serve "$model" "${kept[@]}" "${more[@]}"
