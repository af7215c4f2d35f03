"""The parts of one process of the target on which faults work."""

from dataclasses import dataclass
from pathlib import Path

from include.demo_target.cache import AnswerCache
from include.demo_target.database import Database
from include.demo_target.document_slots import DocumentSlots
from include.demo_target.llm_client import LlmClient
from include.demo_target.worker_threads import WorkerThreads


@dataclass(frozen=True)
class Parts:
    """Database, cache, LLM, places for documents, threads, and the directory for files of the target."""

    database: Database
    cache: AnswerCache
    llm: LlmClient
    document_slots: DocumentSlots
    threads: WorkerThreads
    directory: Path
