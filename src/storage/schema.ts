/** "CapF", so that tools and `file` know what this is, and so that no other database is taken for a log. */
export const applicationId: number = 0x43617046

/** Grows with every change of `schemaStatements`. */
export const schemaVersion: number = 6

/**
 * The whole schema, compared word for word with what a database holds: a foreign trigger could rewrite what is
 * stored, a view could show something else (AUDIT.md "verify").
 *
 * `records`, `head` and `checkpoints` are the log. `epochs`, `calls`, `open_calls`, `approvals`, `grants`, `limit_charges`, `labels`,
 * `tool_definitions` and `configurations` say what follows from it and can be built again from it; `disclosures` and
 * `policies` hold what it has only digests of.
 */
export const schemaStatements: readonly string[] = [
  `CREATE TABLE log (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  origin TEXT NOT NULL,
  opened_ms INTEGER NOT NULL
) STRICT`,
  `CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL CHECK (length(leaf) = 32),
  body BLOB NOT NULL CHECK (length(body) BETWEEN 2 AND 65535)
) STRICT`,
  // The tree after the last record; `note` is its checkpoint, signed by the stable key and that of the epoch; `state` seals
  // the rows of limits and labels (`StateSeal`), `grants` those of grants (`GrantRows`).
  `CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32),
  frontier BLOB NOT NULL,
  note TEXT,
  state BLOB,
  grants BLOB
) STRICT`,
  `CREATE TABLE checkpoints (
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL
) STRICT`,
  // Which record names the key of an epoch: `log.open` or `key.add` that of the first, `key.rotate` the others.
  `CREATE TABLE epochs (
  epoch INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT`,
  // What a record's digests stand for, each followed by `~` (RFC 9901); a redacted one is taken out.
  `CREATE TABLE disclosures (
  seq INTEGER PRIMARY KEY,
  encoded TEXT NOT NULL
) STRICT`,
  // Where a call stands in the log, once nothing more will come of it.
  `CREATE TABLE calls (
  call TEXT PRIMARY KEY,
  decision_seq INTEGER NOT NULL,
  outcome_seq INTEGER
) STRICT, WITHOUT ROWID`,
  // Forwarded, and no outcome is known: none at all, or `unknown`. Small, so that a decision touches one page of it.
  `CREATE TABLE open_calls (
  call TEXT PRIMARY KEY,
  decision_seq INTEGER NOT NULL,
  unknown_seq INTEGER
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  binding_digest TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'revoked', 'used')),
  requested_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  decision_seq INTEGER NOT NULL,
  used_seq INTEGER,
  request TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  `CREATE INDEX approvals_waiting ON approvals (binding_digest, requested_ms) WHERE state IN ('pending', 'approved')`,
  // One row for each approver: a quorum needs several.
  `CREATE TABLE approval_answers (
  approval TEXT NOT NULL,
  approver TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'deny', 'revoke')),
  seq INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  PRIMARY KEY (approval, approver, seq)
) STRICT, WITHOUT ROWID`,
  // `used` counts calls; `ended` is empty as long as a grant was not revoked or found expired.
  `CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  created_seq INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used INTEGER NOT NULL,
  ended TEXT NOT NULL CHECK (ended IN ('', 'revoked', 'expired')),
  envelope TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  `CREATE INDEX grants_active ON grants (expires_ms) WHERE ended = ''`,
  // `pot` is the limit or budget with the values it counts per; `amount` is an exact decimal.
  `CREATE TABLE limit_charges (
  pot TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  decision_seq INTEGER NOT NULL,
  amount TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('reserved', 'settled')),
  PRIMARY KEY (pot, at_ms, decision_seq)
) STRICT, WITHOUT ROWID`,
  `CREATE INDEX limit_charges_reserved ON limit_charges (decision_seq) WHERE state = 'reserved'`,
  `CREATE INDEX limit_charges_expiring ON limit_charges (expires_ms)`,
  // `subject` is the session or the actor; `bind` a keyed digest of the value that the label is about, or empty.
  // It is held once a call was forwarded that adds it, and proven (later than 0) once that has ended without an error.
  `CREATE TABLE labels (
  subject TEXT NOT NULL,
  label TEXT NOT NULL,
  bind TEXT NOT NULL,
  added_seq INTEGER NOT NULL,
  held_until_ms INTEGER NOT NULL,
  proven_until_ms INTEGER NOT NULL,
  PRIMARY KEY (subject, label, bind)
) STRICT, WITHOUT ROWID`,
  `CREATE INDEX labels_expiring ON labels (held_until_ms)`,
  // What was recorded last of each tool; `listed` is 0 once it was gone.
  `CREATE TABLE tool_definitions (
  server TEXT NOT NULL,
  tool TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  listed INTEGER NOT NULL CHECK (listed IN (0, 1)),
  PRIMARY KEY (server, tool)
) STRICT, WITHOUT ROWID`,
  // What was recorded last of each configuration; null when it could not be read.
  `CREATE TABLE configurations (
  path TEXT PRIMARY KEY,
  sha256 TEXT
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  client TEXT,
  instance TEXT,
  started_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  details TEXT NOT NULL
) STRICT, WITHOUT ROWID`,
  // Who writes or wrote: w is the `w` of records; pid is for people.
  `CREATE TABLE writers (
  w TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT, WITHOUT ROWID`,
  `CREATE INDEX writers_running ON writers (w) WHERE ended_ms IS NULL`,
  `CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE policies (
  hash TEXT NOT NULL,
  position INTEGER NOT NULL,
  path TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (hash, position)
) STRICT`,
]

/** A change of the schema: what a database held before, and what takes its place. */
interface SchemaStep {
  /** The table whose rows are carried over, with their columns; the others that are removed were never written to. */
  readonly carried?: { readonly table: string; readonly columns: string }
  readonly removed: readonly string[]
  readonly added: RegExp
}

/**
 * How each version differs from the one before it, under its number.
 */
const steps: ReadonlyMap<number, SchemaStep> = new Map([
  [
    2,
    {
      removed: [
        `CREATE TABLE limit_charges (
  pot TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  decision_seq INTEGER NOT NULL,
  amount TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'returned')),
  PRIMARY KEY (pot, at_ms, decision_seq)
) STRICT, WITHOUT ROWID`,
        `CREATE INDEX limit_charges_reserved ON limit_charges (decision_seq) WHERE state = 'reserved'`,
        `CREATE TABLE labels (
  subject TEXT NOT NULL,
  label TEXT NOT NULL,
  bind TEXT NOT NULL,
  added_seq INTEGER NOT NULL,
  expires_ms INTEGER,
  PRIMARY KEY (subject, label, bind)
) STRICT, WITHOUT ROWID`,
      ],
      added: /^CREATE (?:TABLE|INDEX) (?:limit_charges|labels)(?:_[a-z]+)?\b/,
    },
  ],
  [3, { removed: [], added: /^CREATE TABLE (?:tool_definitions|configurations)\b/ }],
  [4, { removed: [], added: /^CREATE TABLE epochs\b/ }],
  [
    5,
    {
      carried: { table: 'head', columns: 'id, size, root, frontier, note' },
      removed: [
        `CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32),
  frontier BLOB NOT NULL,
  note TEXT
) STRICT`,
      ],
      added: /^CREATE TABLE head\b/,
    },
  ],
  [
    6,
    {
      carried: { table: 'head', columns: 'id, size, root, frontier, note, state' },
      removed: [
        `CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32),
  frontier BLOB NOT NULL,
  note TEXT,
  state BLOB
) STRICT`,
        `CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('active', 'used', 'revoked', 'expired')),
  actor TEXT,
  session TEXT,
  expires_ms INTEGER,
  uses_left INTEGER,
  created_seq INTEGER NOT NULL,
  ended_seq INTEGER,
  envelope BLOB NOT NULL
) STRICT, WITHOUT ROWID`,
        `CREATE INDEX grants_active ON grants (expires_ms) WHERE state = 'active'`,
      ],
      added: /^CREATE (?:TABLE (?:head|grants)|INDEX grants_active)\b/,
    },
  ],
])

/** The schema of a version that databases may still have; undefined for any other. */
export function schemaOfVersion(version: number): readonly string[] | undefined {
  if (version === schemaVersion) return schemaStatements
  const step = steps.get(version + 1)
  const next = step === undefined ? undefined : schemaOfVersion(version + 1)
  if (step === undefined || next === undefined) return undefined
  return [...next.filter((statement) => !step.added.test(statement)), ...step.removed]
}

/** What makes a database of the next version of one; in this order, inside one transaction. */
export function schemaStep(version: number): readonly string[] {
  const step = steps.get(version + 1)
  if (step === undefined) return []
  const tables = step.removed.flatMap(
    (statement) => /^CREATE TABLE (\w+)/.exec(statement)?.[1] ?? [],
  )
  const added = (schemaOfVersion(version + 1) ?? []).filter((one) => step.added.test(one))
  const dropped = tables.map((table) => `DROP TABLE ${table}`)
  if (step.carried === undefined) return [...dropped, ...added]
  const { table, columns } = step.carried
  return [
    `CREATE TEMP TABLE carried AS SELECT ${columns} FROM main.${table}`,
    ...dropped,
    ...added,
    `INSERT INTO main.${table} (${columns}) SELECT ${columns} FROM carried`,
    'DROP TABLE carried',
  ]
}
