/** "CapF", so that tools and `file` know what this is, and so that no other database is taken for a log. */
export const applicationId: number = 0x43617046

/** Grows with every change of `schemaStatements`. */
export const schemaVersion: number = 1

/**
 * The whole schema, compared word for word with what a database holds: a foreign trigger could rewrite what is
 * stored, a view could show something else (AUDIT.md "verify").
 *
 * `records`, `head` and `checkpoints` are the log. `calls`, `open_calls`, `approvals`, `grants`, `limit_charges` and `labels` say
 * what follows from it and can be built again from it; `disclosures` and `policies` hold what it has only digests of.
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
  // The tree after the last record; `note` is its signed checkpoint, once heads are signed.
  `CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  root BLOB NOT NULL CHECK (length(root) = 32),
  frontier BLOB NOT NULL,
  note TEXT
) STRICT`,
  `CREATE TABLE checkpoints (
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL
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
  // `pot` is the limit or budget with the values it counts per; `amount` is an exact decimal.
  `CREATE TABLE limit_charges (
  pot TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  decision_seq INTEGER NOT NULL,
  amount TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'returned')),
  PRIMARY KEY (pot, at_ms, decision_seq)
) STRICT, WITHOUT ROWID`,
  `CREATE INDEX limit_charges_reserved ON limit_charges (decision_seq) WHERE state = 'reserved'`,
  // `subject` is the session or the actor; `bind` the argument's value that the label is about, or empty.
  `CREATE TABLE labels (
  subject TEXT NOT NULL,
  label TEXT NOT NULL,
  bind TEXT NOT NULL,
  added_seq INTEGER NOT NULL,
  expires_ms INTEGER,
  PRIMARY KEY (subject, label, bind)
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
