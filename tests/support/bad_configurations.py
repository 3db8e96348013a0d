"""What is wrong in run files, model profiles and prompts."""

import gzip

from bad_case import PROMPT, Case, benchmark, profile, prompt, run_file, selection, settings
from terminal_world import NOBODY_LISTENS, SECRET

RUN_FILES = {
    "not there": Case(("plan", "nowhere.toml"), ("nowhere.toml", "No such file")),
    "a folder": Case(("plan", "folder"), ("folder", "directory"), {"folder/x": ""}),
    "not TOML": run_file("subjects = = 3", "TOML", "line 1"),
    "not UTF-8": run_file(b"subjects = 3 # \xff", "TOML"),
    "unknown field": run_file("subject = 3", "`subject` is not a known setting"),
    "unknown field of a profile": profile("temprature = 1", "`models.answer.temprature`"),
    "unknown role": run_file("[models.writer]\ntemperature = 1", "`models.writer`"),
    "unknown field of curation": run_file("[curation]\nstrict = true", "`curation.strict`"),
    "no subjects": run_file("subjects = 0", "`subjects`: must be greater than or equal to 1"),
    "subjects in words": run_file('subjects = "three"', "`subjects`", "integer"),
    "negative questions": run_file("questions = -1", "`questions`", "greater than or equal to 0"),
    "too many questions": run_file("questions = 1_000_000", "`questions`", "100000"),
    "no lists": run_file("lists = 0", "`lists`"),
    "half a list": run_file("lists = 1.5", "`lists`", "integer"),
    "sessions crossed": run_file("min_sessions = 20\nmax_sessions = 10", "min_sessions (20)", "max_sessions (10)"),
    "too many sessions": run_file("max_sessions = 101", "`max_sessions`"),
    "no concepts": run_file("concepts_per_session = 0", "`concepts_per_session`"),
    "share over one": run_file("cross_session_share = 1.5", "`cross_session_share`"),
    "no question a call": run_file("questions_per_call = 0", "`questions_per_call`"),
    "negative seed": run_file("seed = -1", "`seed`"),
    "neither true nor false": run_file('two_step = "maybe"', "`two_step`", "boolean"),
    "disciplines no list": run_file('disciplines = "physics"', "`disciplines`", "list"),
    "a number for a discipline": run_file("disciplines = [3]", "`disciplines.0`", "string"),
    "unknown discipline": Case(
        ("plan", "RUN.toml"), ("phisics", "did you mean `Physics`"), {"RUN.toml": 'disciplines = ["phisics"]'}
    ),
    "models no table": run_file("models = 3", "`models`"),
    "too loose a duplicate": run_file("[curation]\nnear_duplicate_jaccard = 0.2", "`curation.near_duplicate_jaccard`"),
    "too loose a meaning": run_file("[curation]\nnear_duplicate_cosine = 0.2", "`curation.near_duplicate_cosine`"),
    "an embedding model of spaces": run_file(
        '[curation]\nembedding_model = " "', "`curation.embedding_model`", "space"
    ),
    "an embedding model not there": selection('[curation]\nembedding_model = "./nowhere"', "./nowhere is no folder"),
    "money without prices": Case(
        ("plan", "RUN.toml"), ("budget.usd", "teacher", "GLAN_PRICES"), {"RUN.toml": "[budget]\nusd = 5"}
    ),
    "a budget of nothing": run_file("[budget]\ntokens = 0", "`budget.tokens`", "greater than or equal to 1"),
    "a budget in euros": run_file("[budget]\neur = 5", "`budget.eur` is not a known setting"),
    "a budget's id with spaces": run_file('[budget]\nid = "my budget"', "`budget.id`"),
    "no words": run_file("[curation]\nmin_question_words = 0", "`curation.min_question_words`"),
    "UTF-16": run_file("subjects = 3".encode("utf-16"), "TOML", "utf-8"),
    "a field twice": run_file("subjects = 1\nsubjects = 2", "TOML"),
    "a byte order mark before what is wrong": run_file(b"\xef\xbb\xbfsubjects = 0", "`subjects`"),
    "lines of another system": run_file("lists = 2\r\nsubjects = 0\r\n", "`subjects`"),
    "nested without end": run_file(f"disciplines = {'[' * 3000}{']' * 3000}", "nested too deeply"),
    "a path of 4,000 characters": Case(("plan", "x" * 4000), ("xxx…", "too long")),
    "a path of two lines": Case(("plan", "a\nb.toml"), ("a\\u000ab.toml",)),
    "a path that steers the terminal": Case(("plan", "a\x1b[31mb.toml"), ("a\\u001b[31mb.toml",)),
    "a path with a NUL": Case(("plan", "a\0b"), ("null byte",)),
    "a field that steers the terminal": run_file('"sub\\u001b[31mjects" = 3', "`sub\\u001b[31mjects`"),
    "a field of 3,000 characters": run_file(f'"{"k" * 3000}" = 3', "kkk…"),
    "true for a number": run_file("subjects = true", "`subjects`", "true or false"),
    "a number beyond all numbers": run_file("[budget]\ntokens = 9" + "9" * 40, "`budget.tokens`", "9007199254740992"),
    "money without end": run_file("[budget]\nusd = inf", "`budget.usd`", "finite"),
    "a share that is no number": run_file("cross_session_share = nan", "`cross_session_share`"),
    "a threshold that is no number": run_file("[curation]\nnear_duplicate_jaccard = nan", "near_duplicate_jaccard"),
    "a discipline in two alphabets": selection(
        'disciplines = ["\u0420hysics"]', "did you mean `Physics`?", "U+0420, CYRILLIC CAPITAL LETTER ER"
    ),
    "a profile that is no table": run_file('[models]\nanswer = "gpt"', "`models.answer`", "must be a table"),
    "a discipline turned round": selection('disciplines = ["\u202ephysics"]', "\\u202ephysics", "did you mean"),
    "a discipline of a picture": selection('disciplines = ["🙂"]', "no discipline '🙂'"),
    "a discipline of 5,000 characters": selection(f'disciplines = ["{"p" * 5000}"]', "ppp…"),
    "a misspelt field of the tree": selection('fields = ["Natural science"]', "did you mean `Natural sciences`"),
    "no such sub-field": selection('sub_fields = ["Alchemy"]', "no sub-field 'Alchemy'"),
    "a pattern that fits nothing": selection('patterns = ["zzz*"]', "'zzz*'"),
    "busy in other words": run_file('on_busy = "waits"', "`on_busy`", "'waits' is not one of", "did you mean `wait`"),
    "a budget's id that climbs": run_file('[budget]\nid = "../x"', "`budget.id`"),
    "question words crossed": run_file("[curation]\nmin_question_words = 20\nmax_question_words = 10", "(20)", "(10)"),
    "answer words crossed": run_file("[curation]\nmin_answer_words = 20\nmax_answer_words = 10", "(20)", "(10)"),
    "a language of rows that nobody speaks": run_file('languages = ["en", "xx"]', "`languages.1`", "'xx'"),
    "a type of question that is none": run_file(
        "[question_types]\nmultiple_choices = 1", "did you mean", "multiple_choice`"
    ),
    "a difficulty below nothing": run_file(
        "[difficulties]\nhard = -1", "`difficulties.hard`", "greater than or equal to 0"
    ),
    "a type wanted or not": run_file("[question_types]\nopen = true", "`question_types.open`", "true or false"),
    "a weight without end": run_file("[question_types]\nopen = inf", "`question_types.open`"),
    "no language at all": run_file("languages = []", "`languages`"),
    "a language nobody speaks": run_file('[curation]\nlanguage = "xx"', "`curation.language`", "'xx'"),
    "a benchmark not there": selection('[[curation.benchmarks]]\npath = "no.jsonl"\nlayout = "gsm8k"', "no.jsonl"),
    "a benchmark of no layout": run_file('[[curation.benchmarks]]\npath = "no.jsonl"', "needs a `layout`"),
    "a misspelt layout": run_file('[[curation.benchmarks]]\npath = "x"\nlayout = "gsm9k"', "did you mean `gsm8k`"),
}

PROFILES = {
    "too hot": profile("temperature = 3", "`models.answer.temperature`", "less than or equal to 2"),
    "temperature no number": profile("temperature = nan", "`models.answer.temperature`"),
    "top_p zero": profile("top_p = 0", "`models.answer.top_p`"),
    "no tokens": profile("max_tokens = 0", "`models.answer.max_tokens`"),
    "no attempts": profile("attempts = 0", "`models.answer.attempts`"),
    "no time": profile("timeout_seconds = 0", "`models.answer.timeout_seconds`"),
    "unknown structure": profile('structure = "yaml"', "`models.answer.structure`", "json_schema"),
    "too many stops": profile(f"stop = {['x'] * 17}", "`models.answer.stop`"),
    "a name too long": profile(f'model = "{"m" * 301}"', "`models.answer.model`"),
    "a key in the file": profile(f'api_key = "{SECRET}"', "`models.answer.api_key` is not a known setting"),
    "a key for the key's name": profile(f'api_key_env = "{SECRET}"', "`models.answer.api_key_env`"),
    "a key not set": Case(
        ("plan", "RUN.toml"), ("OTHER_KEY is not set",), {"RUN.toml": '[models.answer]\napi_key_env = "OTHER_KEY"'}
    ),
    "an endpoint without http": profile('base_url = "localhost:8000/v1"', "`models.answer.base_url`", "http"),
    "a body that takes over": profile("extra_body = { stream = true }", "`models.answer.extra_body`", "stream"),
    "no model": settings("models.subject", "GLAN_MODEL", GLAN_MODEL=None),
    "a model for answers only": settings("models.subject", "GLAN_MODEL", GLAN_MODEL=None, GLAN_ANSWER_MODEL="teacher"),
    "a stop at nothing": profile('stop = [""]', "`models.answer.stop`", "empty text"),
    "a misspelt structure": profile('structure = "json_shema"', "did you mean `json_schema`"),
    "time without end": profile("timeout_seconds = inf", "`models.answer.timeout_seconds`", "finite"),
    "a model of two lines": profile('model = "a\\nb"', "`models.answer.model`", "line break"),
    "a model that steers the terminal": profile('model = "a\\u001b[31mb"', "`models.answer.model`", "control"),
    "a model of spaces": profile('model = " "', "`models.answer.model`", "space"),
    "a password in the address": profile(
        f'base_url = "https://user:{SECRET}@example.org/v1"', "`models.answer.base_url`", "password"
    ),
    "a key in the address": profile(
        f'base_url = "https://example.org/v1?key={SECRET}"', "`models.answer.base_url`", "`?`"
    ),
    "an address without a host": profile('base_url = "http://"', "`models.answer.base_url`", "no address"),
    "an address of half a host": profile('base_url = "http://[::1/v1"', "`models.answer.base_url`", "no address"),
    "a port that is none": profile('base_url = "http://localhost:99999/v1"', "`models.answer.base_url`", "no address"),
    "an address of two lines": profile('base_url = "http://h/v1\\nX: y"', "`models.answer.base_url`", "no address"),
    "the whole address of a call": profile(
        'base_url = "http://localhost/v1/chat/completions"', "`models.answer.base_url`", "/chat/completions"
    ),
    "Azure's old form": profile(
        'base_url = "https://me.openai.azure.com/openai/deployments/d?api-version=2024-10-21"',
        "`models.answer.base_url`",
        "https://NAME.openai.azure.com/openai/v1",
    ),
    "a body of not-a-number": profile("extra_body = { min_p = nan }", "`models.answer.extra_body`", "JSON"),
    "a variable that is no name": profile('api_key_env = ""', "`models.answer.api_key_env`"),
}

PROMPTS = {
    "no folder": settings("nowhere", "GLAN_PROMPTS", GLAN_PROMPTS="nowhere"),
    "replaces nothing": prompt(PROMPT, "replaces no prompt", name="answers.md"),
    "another ending": prompt(PROMPT, "replaces no prompt", name="answer.txt"),
    "no header": prompt("<!-- user -->\nHello", "header"),
    "header no YAML": prompt("---\nversion: [\n---\n<!-- user -->\nHello", "YAML"),
    "version zero": prompt(PROMPT.replace("2", "0"), "`version`"),
    "an unknown header": prompt(PROMPT.replace("parameters", "params"), "header"),
    "an input that is not given": prompt(PROMPT.replace("question", "weather"), "weather is not given"),
    "an input not declared": prompt(PROMPT + "{{ syllabus }}", "`inputs` does not name syllabus"),
    "an input not used": prompt(PROMPT.replace("{{ question }}", "Hello"), "names question"),
    "another output": prompt(PROMPT.replace("output: text", "output: SubjectList"), "`output` must be text"),
    "broken Jinja": prompt(PROMPT + "{% if %}", "line 9"),
    "an unknown section": prompt(PROMPT + "<!-- tool -->\nx", "tool", "no section"),
    "no user section": prompt(PROMPT.replace("user", "system"), "<!-- user -->"),
    "not UTF-8": prompt(b"---\n\xff", "UTF-8"),
    "a file for the folder": Case(("plan",), ("mine", "not a folder"), {"mine": ""}, {"GLAN_PROMPTS": "mine"}),
    "true for a version": prompt(PROMPT.replace("2", "true"), "`version`"),
    "a header nested without end": prompt(PROMPT.replace("{}", "[" * 3000 + "]" * 3000), "header"),
    "nested without end": prompt(PROMPT + "{{ " + "(" * 3000 + "question" + ")" * 3000 + " }}", "nested too deeply"),
    "another file": prompt(PROMPT + "{% include 'x' %}", "`<!-- user -->`", "another file"),
    "a sum of words and numbers": prompt(PROMPT.replace("question }}", "question + 1 }}"), "cannot be filled in"),
    "nothing to say": prompt(PROMPT + "<!-- system -->\n", "`<!-- system -->`", "holds nothing"),
    "a header of code": prompt(PROMPT.replace("{}", "!!python/object/apply:os.getcwd []"), "header"),
}

ITEM = '{"question": "What is a rune and who cut it?", "answer": "A letter."}\n'
BENCHMARKS = {
    "empty": benchmark("", "no item"),
    "a table of commas": benchmark("question,answer\na,b\n", "no file of a known kind", name="b.csv"),
    "a number": benchmark("3", "no list of items", name="b.json"),
    "no examples": benchmark('{"examples": null}', "no list of items", name="b.json"),
    "nested without end": benchmark("[" * 100_000, "cannot be read", name="b.json"),
    "broken off": benchmark(gzip.compress(ITEM.encode())[:-9], "cannot be read", name="b.jsonl.gz"),
    "on a server that is away": Case(
        ("plan", "RUN.toml"),
        ("s3://bucket/b.jsonl cannot be read", "correct the path"),
        {"RUN.toml": '[[curation.benchmarks]]\npath = "s3://bucket/b.jsonl"\nlayout = "gsm8k"'},
        {"AWS_ENDPOINT_URL": NOBODY_LISTENS, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET},
    ),
    "not Parquet": benchmark("hello", "cannot be read", name="b.parquet"),
    "Latin-1": benchmark(b'{"question": "\xff"}', "cannot be read", "utf-8"),
    "another column": benchmark('{"quest": "What is a rune?"}', "no text in `question`", "quest"),
    "a solution misspelt": benchmark(ITEM, "nothing in `anwser`", "`answer`", table='name = "us"\nanswer = "anwser"'),
    "choices that are not there": benchmark(ITEM, "nothing in `options`", table='name = "us"\nchoices = "options"'),
    "a digest that climbs": run_file(
        '[[curation.benchmarks]]\npath = "x"\nlayout = "arc"\ndigest = "../../x"', "digest", "leave it out"
    ),
    "a table for a list": run_file('[curation.benchmarks]\npath = "x"', "`curation.benchmarks`", "must be a list"),
}

GROUPS = {"run file": RUN_FILES, "profile": PROFILES, "prompts": PROMPTS, "benchmarks": BENCHMARKS}
