/**
 * Bounds on everything that comes from outside, each with its unit.
 *
 * A value past its bound is refused, never judged in part (THREATS B5, B32).
 */
export const limits = {
  /** One JSON-RPC message from a client, bytes. */
  maxClientMessageBytes: 67_108_864,
  /** One JSON-RPC message from an upstream server, bytes. */
  maxUpstreamMessageBytes: 268_435_456,
  /** Nesting of objects and arrays in a client message, levels. */
  maxJsonDepth: 128,
  /** Object members and array elements in one client message, count. */
  maxJsonMembers: 200_000,
  /** A key with characters outside ASCII, characters: comparing such keys takes more than linear time. */
  maxWideKeyCharacters: 512,
  /** All different keys with characters outside ASCII in one client message, characters. */
  maxWideKeysCharacters: 1_048_576,
  /** Nesting in a server message, levels. */
  maxUpstreamJsonDepth: 10_000,
  /** Members of one object, looked for by name in a server message, that are put down, count. */
  maxRecordedMembers: 32,
  /** The id or progress token of a JSON-RPC message, characters. */
  maxIdCharacters: 1024,
  /** A tool, prompt or method name, characters. */
  maxNameCharacters: 1024,
  /** Requests one client may have in flight, count. */
  maxRequestsInFlight: 10_000,
  /** The same, bytes; a single request of any size passes. */
  maxBytesInFlight: 268_435_456,
  /** Questions of servers that wait for one client's answer, count. */
  maxQuestions: 1000,
  /** What waits for a server or a client that does not read, bytes; then nothing more is taken for it. */
  maxBacklogBytes: 8_388_608,
  /** How long a client is not read because its only server does not read, milliseconds. */
  maxStallMs: 10_000,
  /** The id of an event in a stream of a server, bytes; a longer one is none. */
  maxEventIdBytes: 1024,
  /** Lines that one event is written in, count. */
  maxEventLines: 100_000,
  /** The id of an HTTP session, characters. */
  maxSessionIdCharacters: 1024,
  /** The head of an HTTP message, bytes. */
  maxHeadBytes: 16_384,
  /** What is read of the body of an HTTP answer that only says what is wrong, bytes. */
  maxComplaintBytes: 65_536,
  /** How long a connection to a server may take to be made, milliseconds. */
  maxConnectMs: 10_000,
  /** How long an HTTP server may take to say that it has got what needs no answer, milliseconds. */
  maxAcceptMs: 30_000,
  /** How long an HTTP server may send nothing at all while a request waits for it, milliseconds: an hour. */
  maxSilenceMs: 3_600_000,
  /** Connections to one HTTP server for one client, count; further requests wait for one of them. */
  maxConnections: 256,
  /** Connections to the HTTP front, count; a further one is closed. */
  maxFrontConnections: 2048,
  /** How long the head of a request to the HTTP front may take to arrive, milliseconds. */
  maxRequestHeadMs: 10_000,
  /** How long a whole request may take to arrive, milliseconds. */
  maxRequestMs: 60_000,
  /** How long a connection to the HTTP front may stand still although something waits to be written, milliseconds. */
  maxFrontSilenceMs: 120_000,
  /** Bodies of requests that are being read at the same time, bytes; a single one of any allowed size passes. */
  maxBodiesBytes: 268_435_456,
  /** How long a stream of the HTTP front may carry nothing before it carries a comment, milliseconds. */
  keepAliveMs: 15_000,
  /** Sessions of the HTTP front at the same time, count. */
  maxHttpSessions: 10_000,
  /** Servers that the sessions of the HTTP front run as processes at the same time, count. */
  maxHttpProcesses: 1000,
  /** What waits in a session for a stream to the client, bytes; beyond, the oldest is dropped. */
  maxUnheardBytes: 1_048_576,
  /** Tokens that the HTTP front knows, count. */
  maxTokens: 256,
  /** How long a stream that ended is left alone before it is asked for again, milliseconds. */
  maxRetryMs: 30_000,
  /** The least time that it is left alone, whatever the server says, milliseconds. */
  minRetryMs: 100,
  /** How often in a row asking for the rest of an answer may fail, count. */
  maxResumes: 5,
  /** Disclosures that are missing from a log before a redaction accounts for them, count; beyond it is not verified. */
  maxMissingDisclosures: 1_000_000,
  /** A file that says where a verification ended, bytes. */
  maxVerifierStateBytes: 268_435_456,
  /** A signed note, bytes. */
  maxNoteBytes: 65_536,
  /** Signatures under one note, count. */
  maxNoteSignatures: 100,
  /** A proof that a record is in a log, characters: the record, a signed note and 53 hashes. */
  maxProofCharacters: 163_840,
  /** A file that holds a private key, bytes. */
  maxKeyFileBytes: 1024,
  /** A signed statement about an approval or an approver, bytes. */
  maxEnvelopeBytes: 16_384,
  /** How long an approval may hold at most, milliseconds: a working day. */
  maxGrantMs: 28_800_000,
  /** Calls that one approval may cover, count. */
  maxGrantUses: 1000,
  /** How long a grant may hold that was given in advance, milliseconds: a week. */
  maxStandingGrantMs: 604_800_000,
  /** Grants of one log that are in force at the same time, count. */
  maxActiveGrants: 256,
  /** Whoever signs one grant, count. */
  maxGrantIssuers: 16,
  /** Why a grant is given, or taken back, characters. */
  maxGrantReasonCharacters: 1000,
  /** Changes of one list of approvers, count. */
  maxApproverEntries: 256,
  /** A list of approvers, bytes. */
  maxApproverListBytes: 1_048_576,
  /** A file with the key of an approver, bytes. */
  maxLockedKeyBytes: 4096,
  /** The least work that a key file may ask of whoever guesses its passphrase: scrypt's N. */
  minScryptCost: 16_384,
  /** The most, which takes 256 MiB: scrypt's N. */
  maxScryptCost: 262_144,
  /** A passphrase, characters at least: guessing one takes nothing but the file. */
  minPassphraseCharacters: 12,
  /** A passphrase, characters at most. */
  maxPassphraseCharacters: 1024,
  /** Hashes in a consistency proof, count (c2sp.org/tlog-witness): 2^63 records need no more. */
  maxConsistencyHashes: 63,
  /** A message to a witness, bytes: a note, a proof and what is around them. */
  maxWitnessRequestBytes: 69_632,
  /** What a witness answers, bytes. */
  maxWitnessAnswerBytes: 65_536,
  /** How long a message to a witness may take to arrive, and its answer to come back, milliseconds. */
  maxWitnessMs: 10_000,
  /** Connections that a witness holds, count. */
  maxWitnessConnections: 100,
  /** The state of a witness, bytes. */
  maxWitnessStateBytes: 67_108_864,
  /** Logs that one witness knows, count. */
  maxWitnessLogs: 1000,
  /** How long a command that anchors a checkpoint may take, milliseconds. */
  maxAnchorMs: 60_000,
  /** What is kept of what such a command says, bytes; the rest is read and dropped. */
  maxAnchorOutputBytes: 4096,
  /** Why an anchor failed, as its record says it, characters. */
  maxAnchorErrorCharacters: 512,
  /** Anchors of one log, count. */
  maxAnchors: 16,
  /** The JSON Pointers of one tool's argument roles together, characters; they stand in its records. */
  maxRoleCharacters: 1024,
  /** A segment of a capability, characters. */
  maxSegmentCharacters: 512,
  /** A stored record, bytes (AUDIT.md: 2..65,535). */
  maxRecordBytes: 65_535,
  /** Nesting of objects and arrays in a record, levels. */
  maxRecordDepth: 16,
  /** What a decision record says about the rules that decided, bytes; the rest are counted. */
  maxRecordRuleBytes: 16_384,
  /** The JSON text of a value that is disclosed as it is, bytes; a longer one is stood for by its HMAC. */
  maxDisclosedValueBytes: 262_144,
  /** Top-level arguments that get a disclosure of their own, count; the rest share one. */
  maxDisclosures: 64,
  /** Text that a text predicate looks at, bytes; beyond is indeterminate. */
  maxTextBytes: 262_144,
  /** JSON inside of texts inside of JSON, levels that a guard on text looks into; beyond is indeterminate. */
  maxJsonTextDepth: 4,
  /** The name of a pot with the values that it is kept for, characters; beyond is indeterminate. */
  maxPotCharacters: 4096,
  /** The canonical JSON of a value that a label is about, characters; beyond it is about any value. */
  maxBindCharacters: 4096,
  /** How far back a limit counts, milliseconds: 31 days. */
  maxWindowMs: 2_678_400_000,
  /** Charges of one pot that are added up, count; beyond it cannot be known what is left. */
  maxCharges: 16_384,
  /** Pots and labels that one decision may ask for, count; beyond is indeterminate. */
  maxStateQuestions: 64,
  /** Labels that one condition asks for, or one item of `labels` adds, count. */
  maxLabels: 64,
  /** A policy file, bytes. */
  maxPolicyBytes: 8_388_608,
  /** Rules in one policy after extension, count. */
  maxRules: 20_000,
  /** Files of one policy, with those they extend, count. */
  maxPolicyFiles: 64,
  /** Nesting in a policy file, levels. */
  maxPolicyDepth: 16,
  /** Tokens of YAML in a policy file, count: each name, value, bracket, comma, space and line end is one. */
  maxPolicyLexemes: 2_000_000,
  /** Problems of a policy that are named one by one; the rest are counted. */
  maxPolicyProblems: 100,
  /** Tools that one server lists, count. */
  maxListedTools: 2000,
  /** Pages of one list, count. */
  maxListPages: 200,
  /** A list of tools that was saved to a file, bytes. */
  maxToolListBytes: 33_554_432,
  /** Parts of an input schema that are looked at for one pointer, count; beyond nothing is said of it. */
  maxSchemaSteps: 10_000,
  /** How deep they may lie in one another, levels; beyond nothing is said. */
  maxSchemaDepth: 128,
  /** A line of a trace, bytes: a policy file in which every character is escaped is the longest. */
  maxTraceLineBytes: 67_108_864,
  /** Lines of a trace, count. */
  maxTraceLines: 100_000_000,
  /** Policies of a trace, count. */
  maxTracePolicies: 256,
  /** Their files together, characters: they are kept until the replay ends. */
  maxTracePolicyCharacters: 67_108_864,
  /** Pots, labels and approvals that a replay remembers at the same time, count of each; beyond the trace is refused. */
  maxReplayState: 1_000_000,
  /** Calls without an outcome that a replay remembers, count; the outcome of older ones changes nothing. */
  maxReplayOpenCalls: 100_000,
  /** Differences that a report names one by one, count; the rest are counted. */
  maxReplayExamples: 1000,
  /** Groups of differences that a report names one by one, count; the rest are counted. */
  maxReplayGroups: 1000,
  /** Tests in one file, count. */
  maxPolicyTests: 10_000,
  /** A text that a rule looks for, characters. */
  maxNeedleCharacters: 1024,
  /** What a rule says to the person or model that meets it, characters. */
  maxRuleMessageCharacters: 1024,
  /** Rules that an answer names, count; the rest are counted. */
  maxDeterminingRules: 64,
  /** The size of a regular expression times the length of the text it looks at; beyond is indeterminate. */
  maxRegexSteps: 16_777_216,
  /** A regular expression as its engine compiles it, instructions. */
  maxRegexSize: 4096,
  /** A shell command that is parsed, bytes; beyond is indeterminate. */
  maxShellBytes: 20_000,
  /** An SQL text that is parsed, bytes; beyond is indeterminate. */
  maxSqlBytes: 65_536,
  /**
   * All that `shell` and `sql` have parsed for one decision, characters, and 64 more for each text. Beyond, all such
   * conditions of the call are indeterminate, whichever of them came first.
   */
  maxParsedCharacters: 98_304,
  /** All words and commands that are found in shell commands for one decision, count; beyond as above. */
  maxParsedWords: 16_384,
  /** A URL that is parsed, characters; beyond is indeterminate. */
  maxUrlCharacters: 8192,
  /** All paths in the arguments of one call together, characters; beyond is indeterminate. */
  maxPathCharacters: 65_536,
  /** Paths in the arguments of one call that are compared, count; beyond is indeterminate. */
  maxPathCandidates: 1024,
  /** Paths of one call, and folders of rules about it, for which a disk is asked, count; beyond is indeterminate. */
  maxRealPaths: 64,
  /** How long a disk is asked for one call, milliseconds; beyond is indeterminate. */
  maxRealPathMs: 1000,
  /** Names of one path that is looked up on a disk, count; beyond is indeterminate. */
  maxRealPathNames: 128,
  /** Arguments at one pointer of a rule, count; beyond is indeterminate. */
  maxPointerCandidates: 10_000,
  /** A JSON Pointer of a rule, characters. */
  maxPointerCharacters: 1024,
  /** A configuration file, bytes. */
  maxConfigBytes: 1_048_576,
  /** `capfence.lock`, bytes. */
  maxLockBytes: 33_554_432,
  /** Nesting in a configuration file, levels. */
  maxConfigDepth: 32,
  /** Refused messages that get a record of their own, per second and connection; the rest are counted. */
  maxRefusalRecordsPerSecond: 20,
  /** Records of the tool definitions of one server, per hour; the rest are counted. */
  maxToolRecordsPerHour: 1000,
  /** How long a writer tries for the database lock before it fails closed, milliseconds. */
  maxLockWaitMs: 2000,
  /** How long connecting to a database on the network may take, milliseconds. */
  maxDatabaseConnectMs: 5000,
  /** How long such a database may work on one statement, milliseconds. */
  maxDatabaseStatementMs: 10_000,
  /** How long nothing may be heard of it after that, milliseconds. */
  maxDatabaseSilenceMs: 1000,
} as const
