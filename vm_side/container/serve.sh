#!/usr/bin/env bash
# Start vLLM for reading pages, with one engine on each card. Each flag has its reason beside it.
#
# VLLM_FLAGS overrides: a flag in it takes the place of the one here, e.g.
#   docker run -e VLLM_FLAGS='--max-num-seqs 32 --gpu-memory-utilization 0.85' …
set -euo pipefail

model=${MODEL_DIR:-/model}
if [ ! -f "$model/config.json" ]; then
  echo "no weights in $model: build the image with a MODEL_ID, or mount a model there" >&2
  exit 1
fi

# The memory of each card in MiB; none without nvidia-smi. In a container it lists those alone that
# the container was given (NVIDIA_VISIBLE_DEVICES); CUDA_VISIBLE_DEVICES it does not look at.
mapfile -t memories < <(
  nvidia-smi --query-gpu=memory.total --format=csv,noheader,nounits 2>/dev/null | grep -x '[0-9]\+'
)
cards=${#memories[@]} smallest=${memories[0]:-23034}
for memory in "${memories[@]}"; do [ "$memory" -ge "$smallest" ] || smallest=$memory; done
IFS=, read -ra named <<<"${CUDA_VISIBLE_DEVICES:-}"
[ "${#named[@]}" -eq 0 ] || [ "${#named[@]}" -ge "$cards" ] || cards=${#named[@]}

# Pages in a card's batch, and tokens that it computes in one step. The cache of 24 GB holds about 100
# pages of 2 million pixels, and past 64 at once such a card reads no more pages a second. An H200
# still reads a fifth more with 256 than with 64. Of the tokens: up to six pictures are read in one
# step, and who is writing waits no longer than that; more would make no card faster.
if [ "$smallest" -ge 72000 ]; then seqs=256 tokens=16384 # A100 of 80 GB, H100, H200
elif [ "$smallest" -ge 36000 ]; then seqs=128 tokens=16384        # A100 of 40 GB, L40S
elif [ "$smallest" -ge 20000 ]; then seqs=64 tokens=16384         # L4, A10; and none that is known
else seqs=32 tokens=8192; fi

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
  # As above; of each engine.
  --max-num-seqs "$seqs"
  --max-num-batched-tokens "$tokens"
  # Alone on its card; the rest is for what CUDA itself takes.
  --gpu-memory-utilization 0.90
  # Answers are streamed so that a loop is noticed. Each piece costs CPU time on both sides, so they
  # are sent by 32 tokens; the last one is not waited for.
  --stream-interval 32
  # The client looks at the metrics four times a second: a line for each look would hide all others.
  --disable-uvicorn-access-log
)
case " ${VLLM_FLAGS:-} " in
  *-parallel-size* | *' -dp'* | *' -tp'* | *' -pp'*) ;; # somebody deals out the cards by hand
  # An engine on each card, all behind one port; vLLM gives a request to the least busy one.
  *) [ "$cards" -le 1 ] || flags+=(--data-parallel-size "$cards") ;;
esac

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

# Kernels that vLLM compiles outside of its own cache, at the first picture and the first sampling,
# are kept beside it, on the volume: else each new container compiles them again.
cache=${VLLM_CACHE_ROOT:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vllm}
export TRITON_CACHE_DIR=${TRITON_CACHE_DIR:-$cache/triton}
export TORCHINDUCTOR_CACHE_DIR=${TORCHINDUCTOR_CACHE_DIR:-$cache/inductor}
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$cache/cuda}

# The weights come into memory while Python imports, which takes longer and hardly needs the disk.
# Nobody waits for that; vLLM says what is wrong with a file.
cat "$model"/*.safetensors >/dev/null 2>&1 &

# As vLLM writes its lines: vm_side/machine/loading.py counts from here on.
echo "INFO $(date '+%m-%d %H:%M:%S') [serve.sh] starting; cards that nvidia-smi shows: $cards" >&2
# exec: signals reach vLLM itself, so that a stopped container ends at once.
exec vllm serve "$model" "${kept[@]}" "${more[@]}"
