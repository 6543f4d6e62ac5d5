"""What real vLLMs wrote while they started: the lines that show their progress, and the times.

The container's stand-in prints the first list again, with its own times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ENGINE, SERVER, WORKER = "(EngineCore pid=2020)", "(APIServer pid=466)", "(Worker pid=23156)"
DAY_S = 24 * 3600


@dataclass(frozen=True)
class Line:
    """`after_s`: seconds since the launch script began. `of_whom` comes before vLLM's stamp."""

    after_s: int
    of_whom: str
    text: str

    def at(self, began_s: int) -> str:
        """The line in a log that began at this second of the day, on the 26th of November."""
        minutes, seconds = divmod((began_s + self.after_s) % DAY_S, 60)
        stamp = f"INFO 11-26 {minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
        return f"{self.of_whom} {stamp} {self.text}".strip()


SERVE_SH = Line(0, "", "[serve.sh] starting; cards that nvidia-smi shows: 1")
CARD = (  # 0.26.0 on an H200, by serve.sh, dummy weights; what it compiles was not in its cache
    Line(5, SERVER, "[api_utils.py:345]  ▄▄ ▄█ █     █     █ ▀▄▀ █  version 0.26.0"),
    Line(22, SERVER, "[model.py:623] Resolved architecture: DotsOCRForCausalLM"),
    Line(40, ENGINE, "[core.py:116] Initializing a V1 LLM engine (v0.26.0) with config: model='x'"),
    Line(42, ENGINE, "[model_runner.py:284] Loading model from scratch..."),
    Line(43, ENGINE, "[model_runner.py:305] Model loading took 5.87 GiB and 2.088797 seconds"),
    Line(49, ENGINE, "[backends.py:1155] Dynamo bytecode transform time: 5.45 s"),
    Line(58, ENGINE, "[backends.py:393] Compiling a graph for compile range (1, 16384) takes 8 s"),
    Line(61, ENGINE, "[monitor.py:53] torch.compile took 17.30 s in total"),
    Line(63, ENGINE, "[kv_cache_utils.py:2177] GPU KV cache size: 4,445,840 tokens"),
    Line(65, ENGINE, "[model_runner.py:747] Graph capturing finished in 1 secs, took 0.19 GiB"),
    Line(79, ENGINE, "[core.py:340] init engine (profile, create kv cache, warmup model) took 9 s"),
    Line(86, SERVER, "[base.py:236] Multi-modal warmup completed in 3.872s"),
    Line(86, SERVER, "[api_server.py:677] Starting vLLM server on http://0.0.0.0:8000"),
)  # fmt: skip
OLD = "\x1b[1;36m(EngineCore_DP0 pid=22735)\x1b[0;0m", "\x1b[1;36m(APIServer pid=22638)\x1b[0;0m"
CPU_0_11 = (  # 0.11.0 on a CPU, in colours; it has no launch script of ours
    Line(0, "", "[__init__.py:216] Automatically detected platform cpu."),
    Line(8, OLD[0], "[cpu_model_runner.py:106] Starting to load model m011..."),
    Line(8, OLD[0], "[default_loader.py:267] Loading weights took 0.01 seconds"),
    Line(8, OLD[0], "[cpu_model_runner.py:117] Warming up model for the compilation..."),
    Line(8, OLD[0], "[cpu_model_runner.py:121] Warming up done."),
    Line(9, OLD[1], "[api_server.py:1912] Starting vLLM API server 0 on http://127.0.0.1:18011"),
)
CARD_0_11 = (  # the words of 0.11.0's code for a card; the times are made up
    Line(40, OLD[0], "[gpu_model_runner.py:2602] Starting to load model /model..."),
    Line(41, OLD[0], "[gpu_model_runner.py:2634] Loading model from scratch..."),
    Line(50, OLD[0], "[default_loader.py:267] Loading weights took 8.91 seconds"),
    Line(51, OLD[0], "[gpu_model_runner.py:2653] Model loading took 5.7174 GiB and 9.912 seconds"),
    Line(70, OLD[0], "[monitor.py:34] torch.compile takes 18.02 s in total"),
    Line(80, OLD[0], "[gpu_model_runner.py:3480] Graph capturing finished in 8 secs, took 0.3 GiB"),
    Line(90, OLD[1], "[api_server.py:1912] Starting vLLM API server 0 on http://0.0.0.0:8000"),
)
CPU_0_26 = (  # 0.26.0 on a CPU
    Line(21, WORKER, "[cpu_model_runner.py:128] Starting to load model m026..."),
    Line(21, WORKER, "[default_loader.py:430] Loading weights took 0.01 seconds"),
    Line(22, WORKER, "[cpu_model_runner.py:145] Warming up model for the compilation..."),
    Line(67, WORKER, "[cpu_model_runner.py:149] Warming up done."),
    Line(71, SERVER, "[api_server.py:677] Starting vLLM server on http://127.0.0.1:18026"),
)
CPU_0_32 = (  # 0.32.0 on a CPU, eager: it compiles nothing
    Line(21, WORKER, "[cpu_model_runner.py:68] Starting to load model m032..."),
    Line(21, WORKER, "[default_loader.py:501] Loading weights took 0.01 seconds"),
    Line(22, ENGINE, "[core.py:402] init engine (profile, create kv cache, warmup model) took 1 s"),
    Line(23, SERVER, "[entry.py:140] Starting vLLM server on http://127.0.0.1:18032"),
)  # fmt: skip


def log_of(lines: Iterable[Line], began_s: int = 5 * 3600) -> str:
    """A log of these lines, as docker shows it."""
    return "\n".join(line.at(began_s) for line in lines) + "\n"
