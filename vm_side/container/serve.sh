#!/usr/bin/env bash
# Start vLLM for reading pages, with one engine on each card. Above each flag stands its reason.
#
# VLLM_FLAGS overrides: a flag in it replaces the same flag here, e.g.
#   docker run -e VLLM_FLAGS='--max-num-seqs 32 --gpu-memory-utilization 0.85' …
set -euo pipefail

model=${MODEL_DIR:-/model}
if [ ! -f "$model/config.json" ]; then
  echo "no weights in $model: build the image with a MODEL_ID, or mount a model there" >&2
  exit 1
fi

# The memory of each card in MiB; an empty list without nvidia-smi. In a container nvidia-smi lists
# only the cards that the container was given (NVIDIA_VISIBLE_DEVICES). It ignores
# CUDA_VISIBLE_DEVICES.
mapfile -t memories < <(
  nvidia-smi --query-gpu=memory.total --format=csv,noheader,nounits 2>/dev/null | grep -x '[0-9]\+'
)
cards=${#memories[@]} smallest=${memories[0]:-23034}
for memory in "${memories[@]}"; do [ "$memory" -ge "$smallest" ] || smallest=$memory; done
IFS=, read -ra named <<<"${CUDA_VISIBLE_DEVICES:-}"
[ "${#named[@]}" -eq 0 ] || [ "${#named[@]}" -ge "$cards" ] || cards=${#named[@]}

# Pages in a card's batch, and tokens that it computes in one step. The cache of a 24 GB card holds
# about 100 pages of 2 million pixels, but with more than 64 at once such a card reads no more pages
# a second. An H200 still reads a fifth more with 256 than with 64. With this many tokens, up to six
# pictures are read in one step, and answers being written wait only that long. More would not make
# any card faster.
if [ "$smallest" -ge 72000 ]; then seqs=256 tokens=16384 # A100 of 80 GB, H100, H200
elif [ "$smallest" -ge 36000 ]; then seqs=128 tokens=16384        # A100 of 40 GB, L40S
elif [ "$smallest" -ge 20000 ]; then seqs=64 tokens=16384         # L4, A10; and if no card is known
else seqs=32 tokens=8192; fi

flags=(
  # The container's own port. Whoever publishes it decides who may reach it.
  --host 0.0.0.0
  --port 8000
  # The same name for all weights.
  --served-model-name model
  # dots.ocr's configuration class comes with its weights.
  --trust-remote-code
  # The prompt as the model was taught. In "openai" format it would have the picture twice.
  --chat-template-content-format string
  # One page per request; anything else is a mistake of the client.
  --limit-mm-per-prompt '{"image":1}'
  # Pages share only the prompt, and that stands after the picture. So no prefix and no picture ever
  # comes again, and looking for them costs time and memory.
  --no-enable-prefix-caching
  --mm-processor-cache-gb 0
  # Room for a picture of 4 million pixels (5,102 tokens), the prompt and 10,000 tokens of answer.
  --max-model-len 16384
  # Profiling a picture of the model's own limit, 11.3 million pixels, can run out of memory. The
  # client asks for 2 million; its preflight refuses -m beyond this.
  --mm-processor-kwargs '{"max_pixels":4000000}'
  # See above; the values are for each engine.
  --max-num-seqs "$seqs"
  --max-num-batched-tokens "$tokens"
  # Each engine is alone on its card; CUDA itself takes the rest.
  --gpu-memory-utilization 0.90
  # Answers are streamed so that the client notices a loop. Each piece costs CPU time on both sides,
  # so a piece has 32 tokens. The last piece is sent at once, even if it has fewer.
  --stream-interval 32
  # The client reads the metrics four times a second. A line for each would hide all other lines.
  --disable-uvicorn-access-log
)
case " ${VLLM_FLAGS:-} " in
  *-parallel-size* | *' -dp'* | *' -tp'* | *' -pp'*) ;; # the user assigns the cards by hand
  # One engine on each card, all behind one port. vLLM gives a request to the least busy one.
  *) [ "$cards" -le 1 ] || flags+=(--data-parallel-size "$cards") ;;
esac

read -ra more <<<"${VLLM_FLAGS:-}"
export -n VLLM_FLAGS # vLLM takes VLLM_… for its own variables, and warns of unknown ones
kept=() is_given=
for word in "${flags[@]}"; do # vLLM warns if a flag is given twice
  case $word in
    --*)
      is_given=
      for other in "${more[@]}"; do [ "${other%%=*}" != "$word" ] || is_given=1; done
      ;;
  esac
  [ -n "$is_given" ] || kept+=("$word")
done

# vLLM compiles some kernels outside of its own cache, at the first picture and the first sampling.
# They are kept beside that cache, on the volume. Otherwise each new container compiles them again.
cache=${VLLM_CACHE_ROOT:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vllm}
export TRITON_CACHE_DIR=${TRITON_CACHE_DIR:-$cache/triton}
export TORCHINDUCTOR_CACHE_DIR=${TORCHINDUCTOR_CACHE_DIR:-$cache/inductor}
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$cache/cuda}

# Read the weights into memory while Python imports, which takes longer and hardly needs the disk.
# Nothing waits for this. If a file is bad, vLLM says so.
cat "$model"/*.safetensors >/dev/null 2>&1 &

# In the form of vLLM's own lines, because vm_side/machine/loading.py counts from this line on.
echo "INFO $(date '+%m-%d %H:%M:%S') [serve.sh] starting; cards that nvidia-smi shows: $cards" >&2
# exec, so that signals reach vLLM itself, and a stopped container ends at once.
exec vllm serve "$model" "${kept[@]}" "${more[@]}"
