"""What is wrong in commands, taxonomy files and stores."""

from bad_case import Case, in_store, options, taxonomy
from bad_worlds import (
    broken_inputs_store,
    damaged,
    foreign_folder,
    newer_layout,
    newer_schema,
    published_store,
    rewritten,
    run_on_record,
)

OPTIONS = {
    "unknown option": options("plan --subject 3", "--subject", "--help`"),
    "unknown command": options("make", "make", "glan --help"),
    "unknown sub-command": options("taxonomy grow", "grow", "glan taxonomy --help"),
    "no argument": options("files", "stage", "glan files --help"),
    "an option without its value": options("plan --discipline", "--discipline"),
    "two run files": options("plan a.toml b.toml", "b.toml"),
    "subjects zero": options("plan --subjects 0", "options", "`subjects`"),
    "subjects in letters": options("plan --subjects many", "--subjects", "integer"),
    "questions below zero": options("plan --questions -5", "options", "`questions`"),
    "lists zero": options("plan --lists 0", "options", "`lists`"),
    "no money": options("run --budget-usd 0", "options", "`--budget-usd`", "greater than 0"),
    "a night of less than no money": options("expand --budget-usd -1", "options", "`--budget-usd`", "greater than 0"),
    "no calls": options("run --budget-calls 0", "options", "`--budget-calls`"),
    "tokens in words": options("run --budget-tokens few", "--budget-tokens", "integer"),
    "money without prices": options("run --budget-usd 5", "budget.usd", "teacher", "GLAN_PRICES"),
    "misspelt discipline": options("plan --discipline phisics", "phisics", "did you mean"),
    "no such discipline": options("plan --discipline xyzzy", "xyzzy", "glan taxonomy show"),
    "a discipline that is a path": options("plan --discipline ../../etc/passwd", "../../etc/passwd", "no discipline"),
    "a field for a discipline": Case(
        ("plan", "--discipline", "Natural sciences"), ("no discipline 'Natural sciences'", "that is a field", "--field")
    ),
    "a discipline for a field": Case(("plan", "--field", "physics"), ("no field 'physics'", "--discipline")),
    "a discipline by its path": Case(
        ("plan", "--discipline", "Natural sciences > Physical sciences > Physics"), ("did you mean `Physics`",)
    ),
    "an empty discipline": Case(("plan", "--discipline", ""), ("no discipline",)),
    "a discipline of control characters": Case(("plan", "--discipline", "phy\x1b[31m"), ("no discipline", "\\u001b")),
    "a taxonomy not there": options("plan --taxonomy nowhere.yaml", "nowhere.yaml"),
    "a field without name": Case(("taxonomy", "add", "Runes", "--field", " "), ("field", "empty")),
    "a discipline without a field": options("taxonomy add Runes", "--field"),
    "a name that climbs": options("taxonomy add ../runes --field History", "discipline", "path"),
    "a discipline that stands elsewhere": options("taxonomy add Physics --field History", "Physics", "already there"),
    "doctor with a bad file": Case(("doctor", "RUN.toml"), ("RUN.toml", "`lists`"), {"RUN.toml": "lists = 0"}),
    "an option that steers the terminal": Case(("plan", "--fo\x1b[31mo"), ("--fo", "--help`")),
    "an option of 3,000 characters": Case(("plan", "--" + "x" * 3000), ("xxx…",)),
    "a command of two lines": Case(("pl\nan",), ("pl\\nan",)),
    "busy in other words": options("run --on-busy never", "on_busy", "'never' is not one of wait, skip, share"),
    "more tokens than there are numbers": options(
        f"run --budget-tokens {'9' * 30}", "--budget-tokens", "not be larger"
    ),
    "a taxonomy that is a folder": options("plan --taxonomy .", "directory"),
    "expand to nothing": options("expand --target 0", "target", "greater than or equal to 1"),
    "expand with few attempts": options("expand --attempts 0.5", "attempts"),
    "expand without end": options("expand --attempts inf", "attempts"),
    "expand for no money": options("expand --budget-usd nan", "usd"),
    "expand what is not there": options("expand --discipline phisics", "did you mean `Physics`"),
    "expand by a file not there": options("expand nowhere.toml", "nowhere.toml"),
    "backfill from a misspelt stage": options("backfill --stage sylabi", "'sylabi'", "did you mean `syllabi`"),
    "backfill in another mode": options("backfill --mode refrsh", "'refrsh'", "did you mean `refresh`"),
    "backfill without a store": options("backfill", "no store", "GLAN_STORE"),
    "backfill by a file not there": options("backfill nowhere.toml", "nowhere.toml"),
    "curate without a store": options("curate", "no store", "GLAN_STORE"),
    "verify without a store": options("verify", "no store", "GLAN_STORE"),
    "report without a store": options("report", "no store"),
    "pause of no server": options("pause", "PREFECT_API_URL is not set"),
    "pause of a server without an address": Case(
        ("pause",), ("PREFECT_API_URL is no address",), environment={"PREFECT_API_URL": "localhost:4200/api"}
    ),
    "a run on a server of half an address": Case(
        ("expand",), ("PREFECT_API_URL is no address",), environment={"PREFECT_API_URL": "http://[::1/api"}
    ),
    "a limit in words": options("limit few", "integer"),
    "a port beyond all ports": options("serve --port 99999", "--port", "65535"),
    "nothing at once": options("serve --at-once 0", "--at-once"),
    "a draft of what is not there": options("taxonomy draft --field Alchemy", "no field 'Alchemy'"),
    "a draft into no folder": options("taxonomy draft --out no/draft.yaml", "--out", "no folder"),
    "a discipline of two lines": Case(("taxonomy", "add", "a\nb", "--field", "History"), ("U+000A",)),
    "a discipline of 3,000 characters": Case(("taxonomy", "add", "a" * 3000, "--field", "History"), ("3000",)),
    "a discipline in two alphabets": Case(
        ("taxonomy", "add", "\u0420hysics", "--field", "History"), ("discipline", "U+0420", "CYRILLIC")
    ),
    "a pilot beyond all questions": options(f"run --pilot {'9' * 20}", "--pilot", "100000"),
    "a sub-field that climbs": options("taxonomy add Runes --field History --sub-field ../x", "sub-field", "path"),
}

TAXONOMIES = {
    "not there": options("taxonomy validate nowhere.yaml", "nowhere.yaml"),
    "import of nothing": options("taxonomy import nowhere.yaml", "nowhere.yaml"),
    "a discipline twice": taxonomy("A:\n  - Runes\nB:\n  - Runes\n", "line 4", "already there"),
    "an empty field": taxonomy("A:\n", "line 1"),
    "a name that climbs": taxonomy("A:\n  - ../runes\n", "line 2", "path"),
    "a name of 1,000 characters": taxonomy(f"A:\n  - {'r' * 1000}\n", "line 2", "1000 characters"),
    "a number for a name": taxonomy("A:\n  - 42\n", "line 2", "quotes"),
    "a table of commas": taxonomy("field,discipline\nHistory,Runes\n", "line 1", "name of a field and a colon"),
    "JSON of rows": taxonomy('[{"field": "A", "discipline": "Runes"}]', "line 1", "name of a field and a colon"),
    "JSON with a field twice": taxonomy('{"A": ["Runes"],\n"A": ["Tarot"]}', "line 2", "stands already on line 1"),
    "letters of two alphabets": taxonomy("A:\n  - Physi\u0441s\n", "line 2", "U+0441", "CYRILLIC"),
    "an alias": taxonomy("A: &a\n  - Runes\nB: *a\n", "line"),
    "UTF-16": taxonomy("A:\n  - Runes\n".encode("utf-16")),
    "a list": taxonomy("- Runes\n", "line 1"),
    "nothing at all": taxonomy(""),
    "a folder": options("taxonomy validate .", "directory"),
    "a field twice": taxonomy("A:\n  - Runes\nA:\n  - Tarot\n", "line 3", "stands already on line 1"),
    "composed in two ways": taxonomy("A:\n  - Th\u00e9orie\n  - The\u0301orie\n", "line 3", "already there"),
    "wide and narrow letters": taxonomy("A:\n  - Runes\n  - \uff32unes\n", "line 3", "already there"),
    "two names of one id": taxonomy("A:\n  - C++\n  - C\n", "line 3", "share the id `c`"),
    "a name of two lines": taxonomy('A:\n  - "Ru\\nnes"\n', "line 2", "U+000A"),
    "a name turned round": taxonomy('A:\n  - "Ru\u202enes"\n', "line 2", "U+202E"),
    "a name of nothing to see": taxonomy('A:\n  - "Ru\u200bnes"\n', "line 2", "U+200B"),
    "a name of a picture": taxonomy('A:\n  - "🙂"\n', "line 2", "no letter"),
    "a name that is markup": taxonomy('A:\n  - "<script>alert(1)</script>"\n', "line 2", "path"),
    "a date for a name": taxonomy("A:\n  - 2020-01-01\n", "line 2", "quotes"),
    "an object of Python": taxonomy('A: !!python/object/apply:os.system ["id"]\n', "line 1", "not allowed"),
    "nested without end": taxonomy(f"A: {'[' * 5000}{']' * 5000}\n", "line 1", "nested too deeply"),
    "two documents": taxonomy("A:\n  - Runes\n---\nB:\n  - Tarot\n", "line 3", "second YAML document"),
    "a tabulator": taxonomy("A:\n\t- Runes\n", "line 2", "not valid YAML"),
    "Latin-1": taxonomy("A:\n  - Th\u00e9orie\n".encode("latin-1"), "line 2", "not UTF-8"),
    "30,000 disciplines": taxonomy("A:\n" + "".join(f"  - Name {i} of {i}\n" for i in range(30_000)), "20,000"),
}

STORES = {
    "status without a run": in_store(published_store, "status", "no run is on record", "glan run"),
    "costs by a run file": options("status RUN.toml --costs", "--costs", "RUN.toml"),
    "files without a store": options("files answers", "there is no store at"),
    "publish without a store": options("publish r1", "there is no store at"),
    "unknown table": in_store(published_store, "files answer", "no table 'answer'", "answers"),
    "unknown discipline of files": in_store(published_store, "files answers --discipline alchemy", "alchemy"),
    "unknown discipline of a release": in_store(published_store, "publish r1 --discipline alchemy", "alchemy"),
    "a release that climbs": in_store(published_store, "publish ../r1", "../r1", "cannot name a release"),
    "a release in capitals": in_store(published_store, "publish R1", "R1", "cannot name a release"),
    "an unknown format": in_store(published_store, "publish r1 --format csv", "csv", "parquet, jsonl"),
    "a copy to nowhere": in_store(published_store, "publish r1 --to ftq://host/folder", "ftq://host/folder"),
    "a copy with a password": in_store(published_store, "publish r1 --to s3://me:key@bucket/x", "user or password"),
    "a copy to nowhere named": Case(
        ("publish", "r1", "--to", ""), ("--to: the address is empty",), arrange=published_store
    ),
    "a copy into the store": in_store(published_store, "publish r1 --to store/v1/releases/r2", "lies in the store"),
    "a weight twice": in_store(published_store, "publish r1 --weight a=1 --weight a=2", "--weight", "twice"),
    "a weight of nothing": in_store(published_store, "publish r1 --weight =2", "--weight", "NAME=NUMBER"),
    "a licence's text without https": in_store(
        published_store, "publish r1 --license Ours --license-link http://x", "`license_link`", "https://"
    ),
    "a replay into nothing": Case(("replay", "--into", ""), ("must name a local folder",), arrange=published_store),
    "a replay by another protocol": in_store(published_store, "replay --into ftp://x/y", "ftp://x/y", "s3://bucket"),
    "a replay into a part of the store": in_store(published_store, "replay --into store/v1", "--into", "very store"),
    "a replay where no folder can be": in_store(
        published_store, "replay --into /proc/x", "/proc/x", "read-only", code=1
    ),
    "no query": Case(("sql", " "), ("the query", "empty"), arrange=published_store),
    "a licence misspelt": in_store(published_store, "publish r1 --license cc-by4.0", "`cc-by-4.0`", "--license-link"),
    "a licence without a text": in_store(published_store, "publish r1 --license Ours", "'Ours'", "--license-link"),
    "a text without a licence": in_store(published_store, "publish r1 --license-link https://me.org/x", "--license"),
    "a push to a model": in_store(published_store, "publish r1 --to hf://me/model", "hf://datasets/OWNER/NAME"),
    "a push into a folder": in_store(published_store, "publish r1 --to hf://datasets/me/data/x", "fills a whole one"),
    "a public folder": in_store(published_store, "publish r1 --to copy --public", "hf://datasets/OWNER/NAME"),
    "public, but nowhere": in_store(published_store, "publish r1 --public", "--to"),
    "a bound that is no number": in_store(published_store, "publish r1 --require rows=many", "--require", "rows=50"),
    "a bound on nothing known": in_store(published_store, "publish r1 --require row=5", "require", "row"),
    "unknown version": in_store(published_store, "taxonomy show --version 99", "--version", "99"),
    "version zero": in_store(published_store, "taxonomy show --version 0", "--version", "no version 0"),
    "version of no store": options("taxonomy show --version 1", "--version", "none"),
    "another's folder, run": in_store(foreign_folder, "run", "store", "README.txt", code=1),
    "another's folder, plan": in_store(foreign_folder, "plan", "README.txt", code=1),
    "another's folder, files": in_store(foreign_folder, "files answers", "README.txt", code=1),
    "another's folder, taxonomy": in_store(foreign_folder, "taxonomy add Runes --field History", "README.txt", code=1),
    "a file for a store": Case(("plan",), ("store", "is no folder", "GLAN_STORE"), {"store": "not a folder"}),
    "a damaged snapshot": in_store(damaged("_snapshots/00000001.json"), "files subjects", "_snapshots/", code=1),
    "a damaged generation": in_store(
        damaged("_manifests/subjects/physics/00000001.json"), "plan", "_manifests/", code=1
    ),
    "a damaged taxonomy": in_store(damaged("taxonomy/00000001.parquet"), "plan", "taxonomy/", code=1),
    "a damaged record of a run": in_store(run_on_record("{"), "status", "_runs/", code=1),
    "a record of a run of another kind": in_store(run_on_record("[]"), "status", "_runs/", code=1),
    "a run without its configuration": in_store(broken_inputs_store, "status", "_inputs/config/", code=1),
    "a store of a newer layout": in_store(
        newer_layout, "plan", "layout v2", "the version of glan that made it", code=1
    ),
    "an object of a newer schema": in_store(newer_schema, "expand", "schema version 999", "this glan reads", code=1),
    "a snapshot of something else": in_store(
        rewritten("_snapshots/00000001.json", "[]"), "files subjects", "_snapshots/", code=1
    ),
    "a copy among the snapshots": in_store(
        rewritten("_snapshots/00000001 (copy).json", "{}"), "gc", "_snapshots/00000001 (copy).json", code=1
    ),
    "a snapshot nested without end": in_store(
        rewritten("_snapshots/00000001.json", "[" * 100_000), "report", "_snapshots/", code=1
    ),
    "a generation that climbs": in_store(
        rewritten("_manifests/subjects/physics/00000001.json", '{"units": [{"object": "../../../etc/passwd"}]}'),
        "files subjects",
        "_manifests/",
        code=1,
    ),
    "more rows than there are numbers": in_store(
        published_store, f"quarantine list --rows {'9' * 23}", "--rows", "1000000"
    ),
    "a report over the store": in_store(published_store, "report --out store/v1/README.txt", "--out", "in the store"),
    "a report into no folder": in_store(published_store, "report --out no/page.html", "--out", "No such file"),
    "a discipline of files that climbs": in_store(published_store, "files subjects --discipline ../x", "../x"),
    "a release of two lines": Case(("publish", "r\n1"), ("r\\u000a1",), arrange=published_store),
    "fewer rows than none": in_store(published_store, "publish r1 --rows 0", "`rows`"),
    "fewer held out than none": in_store(published_store, "publish r1 --test -1", "`test`"),
    "all for validation": in_store(published_store, "publish r1 --validation 1", "`validation`"),
    "validation that is no number": in_store(published_store, "publish r1 --validation nan", "`validation`"),
    "a balance of a misspelt level": in_store(published_store, "publish r1 --balance fields", "did you mean `field`"),
    "apart in other words": in_store(published_store, "publish r1 --apart conceps", "did you mean `concepts`"),
    "a weight without a number": in_store(published_store, "publish r1 --weight physics", "NAME=NUMBER"),
    "a weight that is no number": in_store(published_store, "publish r1 --weight physics=nan", "physics"),
    "a negative weight": in_store(published_store, "publish r1 --weight physics=-1", "physics"),
}

GROUPS = {"options": OPTIONS, "taxonomy": TAXONOMIES, "store": STORES}
