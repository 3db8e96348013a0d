"""Near-duplicates by datasketch: minhash_datasketch.py CORPUS.parquet FOUND.json PROCESSES BANDS ROWS."""

import json
import sys
from multiprocessing import Pool

import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 128


def signed(text):
    words = text.casefold().split()
    made = MinHash(num_perm=PERMUTATIONS)
    made.update_batch([" ".join(gram).encode() for gram in zip(words, words[1:], words[2:], strict=False)])
    return made


def main(corpus, found, processes, bands, rows):
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(int(bands), int(rows)))
    pairs = []
    with Pool(int(processes)) as pool:
        for batch in pq.ParquetFile(corpus).iter_batches(20_000):
            signatures = pool.imap(signed, batch["text"].to_pylist(), chunksize=1_000)
            for name, signature in zip(batch["question_id"].to_pylist(), signatures, strict=True):
                same = index.query(signature)
                if same:
                    pairs.append((name, min(same)))
                else:
                    index.insert(name, signature)
    with open(found, "w") as file:
        json.dump(pairs, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
