"""Near-duplicates by datatrove: minhash_datatrove.py CORPUS.parquet FOUND.json PROCESSES BANDS ROWS."""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter


def lines(folder):
    for path in sorted(Path(folder).glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as file:
            yield from map(json.loads, file)


def main(corpus, found, processes, bands, rows):
    processes = int(processes)
    config = MinhashConfig(n_grams=3, num_buckets=int(bands), hashes_per_bucket=int(rows))
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given"
        given.mkdir()
        files = [(given / f"{number}.jsonl").open("w") for number in range(processes)]
        for number, batch in enumerate(pq.ParquetFile(corpus).iter_batches(10_000)):
            for name, text in zip(batch["question_id"].to_pylist(), batch["text"].to_pylist(), strict=True):
                files[number % processes].write(json.dumps({"id": name, "text": text}) + "\n")
        for file in files:
            file.close()

        def step(tasks, *pipeline):
            logs = tempfile.mkdtemp(dir=folder)
            LocalPipelineExecutor(list(pipeline), tasks=tasks, workers=processes, logging_dir=logs).run()

        def reader():
            return JsonlReader(str(given), doc_progress=False)

        step(processes, reader(), MinhashDedupSignature(f"{folder}/signatures", config=config))
        step(config.num_buckets, MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config))
        step(1, MinhashDedupCluster(f"{folder}/buckets", f"{folder}/gone", config=config, save_cluster_id=True))
        gone = JsonlWriter(f"{folder}/excluded")
        keep = JsonlWriter(f"{folder}/kept")
        step(
            processes,
            reader(),
            MinhashDedupFilter(f"{folder}/gone", exclusion_writer=gone, load_cluster_ids=True),
            keep,
        )

        def cluster(row):
            return (row.get("metadata") or {}).get("minhash_cluster_id", -1)

        survivors = {cluster(row): row["id"] for row in lines(f"{folder}/kept") if cluster(row) != -1}
        pairs = [(row["id"], survivors.get(cluster(row))) for row in lines(f"{folder}/excluded")]
    with open(found, "w") as file:
        json.dump(pairs, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
