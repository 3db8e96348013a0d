"""Word banks and sentence patterns of the model server: enough of them that no two of its texts are near-duplicates."""


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", " ").split(",") if part.strip())


LEVELS = ("introductory", "intermediate", "advanced", "expert")

TOPICS = _split("""
    Thermodynamics, Measurement Theory, Signal Processing, Game Theory, Microeconomics, Contract Law, Organic Synthesis,
    Fluid Mechanics, Number Theory, Graph Algorithms, Cell Biology, Population Genetics, Epidemiology, Rhetoric,
    Epistemology, Phonology, Semantics, Counterpoint, Harmony, Typography, Drawing, Ceramics, Urban Planning,
    Soil Mechanics, Hydrology, Plate Tectonics, Climatology, Oceanography, Botany, Zoology, Immunology, Pharmacology,
    Anatomy, Physiology, Nutrition, Nursing Practice, Psychometrics, Perception, Cognition, Motivation, Ethnography,
    Archival Research, Numismatics, Cartography, Surveying, Navigation, Logistics, Procurement, Auditing, Taxation,
    Corporate Finance, Monetary Policy, Labour Relations, Negotiation, Leadership, Project Management, Quality Control,
    Reliability Engineering, Control Theory, Robotics, Machine Learning, Computer Vision, Compilers, Operating Systems,
    Databases, Cryptography, Network Protocols, Distributed Systems, Software Testing, User Interfaces, Optics,
    Acoustics, Electromagnetism, Quantum Mechanics, Nuclear Physics, Astrophysics, Crystallography, Spectroscopy,
    Catalysis, Polymers, Metallurgy, Corrosion, Welding, Casting, Textiles, Horticulture, Irrigation, Forestry,
    Aquaculture, Animal Husbandry, Food Preservation, Baking, Hospitality, Tourism, Journalism, Photography, Film Editing,
    Screenwriting, Poetry, Drama, Translation, Lexicography, Logic, Set Theory, Topology, Linear Algebra, Calculus,
    Probability, Regression, Experimental Design, Sampling, Simulation, Optimisation, Forecasting, Risk Assessment,
    Insurance, Public Administration, Constitutional Law, Criminology, Diplomacy, Security Studies, Migration,
    Demography, Social Stratification, Family Therapy, Counselling, Special Education, Curriculum Design, Assessment,
    Museology, Conservation, Religious Studies, Mythology, Aesthetics, Ethics, Political Thought, Historiography
""")

NAME_FORMS = _split("""
    {}, {}, {}, Introduction to {}, Foundations of {}, Principles of {}, Applied {}, Advanced {}, Comparative {},
    Computational {}, Clinical {}, Industrial {}, Environmental {}, Experimental {}, Theoretical {}, Quantitative {},
    Modern {}, Classical {}, Digital {}, Global {}, Regional {}, Sustainable {}, {} in Practice, {} and Society,
    {} and Public Policy, {} for Professionals, History of {}, Philosophy of {}, Methods of {}, Case Studies in {},
    Current Problems in {}, Ethics and {}, Instrumentation for {}, Data Analysis for {}, Laboratory {}, Field Work in {}
""")

ADJECTIVES = _split("""
    adaptive, adjacent, ambient, annual, apparent, asymmetric, balanced, binding, bounded, brittle, causal, central,
    circular, coherent, collective, commercial, compact, conditional, conserved, constant, continuous, contested, coupled,
    critical, cyclic, damped, deferred, delayed, dense, derived, direct, discrete, dominant, dual, dynamic, elastic,
    embedded, empirical, equivalent, explicit, external, finite, fixed, flexible, formal, fractional, functional, gradual,
    hidden, hybrid, implicit, incremental, independent, indirect, induced, informal, inherent, initial, integrated,
    internal, inverse, irregular, joint, kinetic, latent, lateral, layered, limiting, linear, local, long-term, marginal,
    maximal, median, minimal, mixed, modular, mutual, narrative, natural, nested, neutral, nominal, normative, oblique,
    observed, optimal, ordinal, parallel, partial, passive, periodic, persistent, plural, primary, proportional,
    qualitative, random, reciprocal, recursive, residual, reversible, rigid, seasonal, secondary, selective, sequential,
    shared, sparse, stable, standard, static, structural, symbolic, temporal, thermal, transient, uniform, variable,
    vertical, voluntary, weighted
""")

NOUNS = _split("""
    allocation, analogy, anomaly, approximation, argument, attribution, balance, barrier, baseline, bias, bond, boundary,
    budget, calibration, capacity, carrier, cascade, category, catalyst, chain, channel, charge, circuit, classification,
    code, cohort, collision, column, compensation, composition, compression, condition, conductivity, consensus, constraint,
    context, contract, contrast, convergence, correction, correlation, criterion, current, curve, cycle, deficit, density,
    deposit, derivation, detector, deviation, diagnosis, diffusion, displacement, distribution, doctrine, domain, drift,
    efficiency, elasticity, emission, energy, entropy, equilibrium, error, estimate, evidence, exchange, expansion,
    exposure, factor, feedback, filter, flow, force, form, frame, frequency, friction, function, gradient, grammar, grid,
    hierarchy, hypothesis, identity, impulse, incentive, index, induction, inference, inflation, inheritance, integral,
    intensity, interface, interval, invariant, judgement, kernel, lattice, ledger, liability, lens, load, loop, margin,
    matrix, mechanism, medium, membrane, metaphor, metric, model, moment, motif, mutation, narrative, network, norm,
    notation, obligation, operator, orbit, order, oscillation, parameter, partition, pathway, pattern, phase, pigment,
    policy, potential, precedent, pressure, probability, profile, proof, protocol, quota, rate, ratio, reaction, reference,
    reflection, register, regime, relation, reserve, resistance, resonance, response, rhythm, ritual, rotation, sample,
    saturation, scale, schema, selection, sequence, signal, solvent, spectrum, stability, strain, strategy, stress,
    structure, substrate, supply, symmetry, syntax, tension, threshold, tolerance, topology, transfer, transition,
    treatment, trend, utility, valuation, variance, vector, velocity, verdict, viscosity, voltage, yield
""")

ACTORS = _split("""
    a hospital pharmacist, a young engineer, a regional museum, a village cooperative, a shipping company, a city council,
    a graduate student, a retired teacher, a small brewery, an amateur astronomer, a court interpreter, a software team,
    a school orchestra, a fruit grower, a theatre director, a national archive, a bus operator, a field biologist,
    an insurance analyst, a ceramics workshop, a start-up founder, a trade union, a coastal laboratory, a watchmaker,
    a public broadcaster, a landscape architect, a nursing home, a mountain rescue service, a textile mill, a food inspector,
    a quarry manager, a parish historian, a statistics office, a bridge designer, a travelling circus, a dairy farm,
    a print shop, a drone pilot, a wine merchant, a geology department, a water utility, a language school
""")

PLACES = _split("""
    in a harbour town, on a windy plateau, in a crowded workshop, near the northern border, at a rural clinic,
    in a flooded valley, on a research vessel, in an old factory hall, at an airport, beside a canal, in a desert camp,
    in a university basement, at a weekly market, on a remote island, in a mining district, under a railway bridge,
    in a botanical garden, at a customs office, in a high-altitude station, in a suburban library, at a power plant,
    in a converted monastery, along a busy motorway, inside a greenhouse, at a film set, in a district court,
    on an offshore platform, in a vineyard, at a summer festival, in a cold store, in a paper mill, at an observatory
""")

THINGS = _split("""
    samples, invoices, measurements, witnesses, letters, sensors, barrels, patients, households, recordings, parcels,
    drawings, seedlings, specimens, contracts, maps, questionnaires, batteries, bolts, coins, photographs, transcripts,
    trucks, test runs, manuscripts, tiles, turbines, vouchers, coupons, complaints, fossils, melodies, pumps, receipts,
    reports, simulations, sketches, petitions, cables, lenses, crates, swatches, ledgers, permits, timetables, probes
""")

VERBS = _split("""
    compares, records, sorts, inspects, repairs, prices, weighs, catalogues, models, replaces, tests, arranges, audits,
    collects, counts, redesigns, examines, labels, calibrates, photographs, reorders, restores, samples, schedules, scans
""")

UNITS = _split("""
    minutes, hours, days, weeks, months, quarters, seasons, working days, kilometres, metres, litres, kilograms, euros,
    degrees, pages, rounds, steps, shifts
""")

OPENINGS = (
    "{Actor} {place} {verb} {number} {thing} within {small} {unit} and notices that the {noun} differs by {percent} percent.",
    "Over {small} {unit}, {actor} {verb} {number} {thing}; {small} of them show {an_adjective} {noun}.",
    "{Actor} has to decide between {an_adjective} {noun} and {an_adjective} {noun} for {number} {thing}.",
    "Suppose that {actor} {place} keeps {number} {thing} and loses {percent} percent of them every {small} {unit}.",
    "A report about {number} {thing} claims that the {noun} rose from {small} to {number} after {an_adjective} {noun}.",
    "{Actor} {verb} {thing} in two groups of {number} and {number}, the first of them {place}.",
    "In a dispute {place}, {actor} argues that {percent} percent of all {thing} depend on {an_adjective} {noun}.",
    "For an order of {number} {thing}, {actor} sets aside {number} {unit} and {an_adjective} {noun} of {decimal}.",
    "{Number} {thing} arrive {place}, of which {actor} {verb} only every {small}th one.",
    "Two colleagues disagree: one blames the {adjective} {noun}, the other the {adjective} {noun}, since {number} {thing} failed.",
    "A series of {small} readings gives {decimal}, {decimal} and {decimal} before {actor} {verb} the {thing}.",
    "After {small} {unit} {place}, {actor} finds {number} {thing} with {an_adjective} {noun} and {number} without.",
)

MIDDLES = (
    "The {concept} is known up to {percent} percent, while the {concept} can only be inferred from the {noun}.",
    "Earlier work treated the {concept} as {adjective}, which ignores the {noun} that comes with {concept}.",
    "Assume that the {concept} stays {adjective} and that each of the {thing} costs {small} {unit}.",
    "Neither the {concept} nor the {concept} was written down, yet {number} {thing} remain as {adjective} evidence.",
    "At {decimal} the {concept} changes its sign, and the {adjective} {noun} no longer bounds the {concept}.",
    "A colleague replaces the {concept} by {an_adjective} {noun} and obtains {number} instead of {number}.",
    "The budget allows {small} further {thing}, so the {concept} has to be weighed against the {concept}.",
    "Only the {concept} was checked twice, with results of {decimal} and {decimal}.",
    "It is agreed that the {concept} matters more than the {adjective} {noun} during the first {small} {unit}.",
)

ASKS = (
    "How does the {concept} explain the difference, and which {noun} would you expect after {number} {unit}?",
    "Which of the two explanations fits the {concept} better, and what {adjective} {noun} would refute it?",
    "What is the smallest number of {thing} for which the {concept} still outweighs the {noun}, and why?",
    "How should the {concept} be used to correct the {noun}, and how large is the remaining {noun}?",
    "Where does the argument about the {concept} fail, and how would you repair it without {an_adjective} {noun}?",
    "What plan in {small} steps connects the {concept} with the {noun}, and what does each step cost in {unit}?",
    "Why can the {concept} not be judged from the {thing} alone, and which {adjective} {noun} is missing?",
    "Under which {adjective} condition do the {concept} and the {noun} give the same result for {number} {thing}?",
    "How much of the {noun} is left when the {concept} is doubled, and what follows for the {adjective} {noun}?",
)

STATEMENTS = (
    "The {concept} limits the {adjective} {noun}, so at most {number} of the {thing} can be affected.",
    "Dividing {number} by {small} gives a {noun} of about {decimal}, well within the {adjective} range.",
    "Because the {concept} acts before the {noun}, its influence fades after {small} {unit}.",
    "We first separate the {adjective} {noun} from the {concept}, since the two respond to different causes.",
    "A second look at the {thing} confirms that {percent} percent share the same {noun}.",
    "If the {concept} were absent, the {noun} would settle near {decimal} and stay {adjective}.",
    "This agrees with the {adjective} {noun} that one expects from {number} {thing}.",
    "Note that the {concept} depends on the {noun} only through its {adjective} part.",
    "The {noun} therefore grows by {percent} percent for every {small} {unit} of {adjective} {noun}.",
    "Comparing both cases shows {an_adjective} {noun} in the first and a much weaker one in the second.",
    "One objection is that the {concept} may hide {an_adjective} {noun}; the {thing} do not support it.",
    "Adding {number} and {number} yields the total, from which the {adjective} {noun} is subtracted.",
    "In practice the {concept} is estimated from {small} {thing}, each weighted by its {noun}.",
    "Such {an_adjective} {noun} appears whenever the {concept} changes faster than the {noun} can follow.",
    "The remaining {noun} amounts to {decimal}, which the {adjective} {noun} explains completely.",
    "It helps to draw the {concept} against the {noun}: the line bends at {decimal}.",
    "Historically, the {concept} was described as {adjective} long before its {noun} was understood.",
    "For the {thing} this means {an_adjective} {noun} rather than a loss.",
    "Checking the {noun} in the opposite direction returns {number}, as it should.",
    "What matters here is the order: the {concept} comes first, then the {noun}, and last the {adjective} {noun}.",
)

CONCLUSIONS = (
    "Final answer: the {concept} accounts for {percent} percent, and the {adjective} {noun} for the rest.",
    "Final answer: {number} {thing} are needed, because the {concept} bounds the {noun} at {decimal}.",
    "In short, the {concept} decides the matter and the {adjective} {noun} can be left out after {small} {unit}.",
    "The result is {decimal}: the {concept} holds, while the {adjective} {noun} does not.",
    "So the {adjective} {noun} should be preferred whenever the {concept} exceeds {number} {unit}.",
    "Taken together, the {concept} and the {noun} give {number}, with {an_adjective} {noun} of {percent} percent.",
)

DESCRIPTIONS = (
    "Students learn how {an_adjective} {noun} is recognised and how it differs from the {adjective} {noun}.",
    "The focus is on the {adjective} {noun} and on what it means for {thing}.",
    "It builds on the earlier {noun} and leads to {an_adjective} {noun} that can be checked by hand.",
    "Worked cases with {thing} show when the {adjective} {noun} may be trusted.",
    "Afterwards one can set up {an_adjective} {noun} and judge its {noun}.",
    "Typical errors in handling the {noun} are traced back to {an_adjective} {noun}.",
    "Two approaches to the {adjective} {noun} are compared, one of them with {number} {thing}.",
    "The {noun} is derived step by step and applied to {thing} from practice.",
)

REFUSALS = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with that.",
    "I'm sorry, I am unable to provide this content.",
    "As an AI language model, I cannot create that.",
)

TITLE_FORMS = (
    "{Adjective} {Noun}", "{Noun} and {Noun}", "{Adjective} {Noun} in Practice", "From {Noun} to {Noun}",
    "Measuring {Adjective} {Noun}", "{Noun} under {Adjective} Conditions", "The Limits of {Noun}",
    "Models of {Adjective} {Noun}", "{Noun}: Causes and Consequences", "Working with {Adjective} {Noun}",
    "Case Study: {Adjective} {Noun}", "Origins of {Adjective} {Noun}",
)  # fmt: skip

PHRASE_FORMS = (
    "{adjective} {noun}", "{adjective} {noun}", "{noun} of {adjective} {noun}", "{noun} {noun}", "{adjective} {noun} {noun}",
    "law of {adjective} {noun}", "{noun} without {noun}", "{adjective} versus {adjective} {noun}",
)  # fmt: skip

BANKS = {
    "adjective": ADJECTIVES, "noun": NOUNS, "actor": ACTORS, "place": PLACES, "thing": THINGS, "verb": VERBS, "unit": UNITS,
}  # fmt: skip
