/**
 * The rooms under src, and who may import whom: the one place where this is written down.
 *
 * The rules in this folder enforce it, `docs/architecture.md` shows it, and a test compares the two. A new arrow is
 * a change of this file, with its reason in the change.
 *
 * @typedef {object} Room
 * @property {string} holds what lives there, as docs/architecture.md says it
 * @property {readonly string[] | 'any'} imports the other rooms it may import; types count too
 * @property {readonly string[] | 'any'} packages npm packages it may import; `any` means every declared dependency
 * @property {readonly string[] | 'all'} pure which of its files read no clock, file, environment or random source:
 *   all, or those whose path inside the room starts so
 */

/** @type {Readonly<Record<string, Room>>} */
export const rooms = {
  json: {
    holds: 'strict scan with byte spans and bounds; the canonical form (RFC 8785)',
    imports: [],
    packages: [],
    pure: 'all',
  },
  crypto: {
    holds: 'SHA-256, Ed25519, passkeys, key files',
    imports: [],
    packages: [],
    pure: ['base64url', 'credential-key', 'ed25519', 'ids', 'sha256'],
  },
  transport: {
    holds: 'stdio framing, child processes, Streamable HTTP, SSE',
    imports: [],
    packages: [],
    pure: [],
  },
  event: {
    holds: 'the ActionEvent; bindings from (server, tool, arguments) to a capability',
    imports: ['json'],
    packages: [],
    pure: 'all',
  },
  policy: {
    holds: 'the language, matching, explaining, analysis',
    imports: ['json', 'event'],
    packages: ['yaml', 're2js', 'unbash', 'libpg-query'],
    pure: 'all',
  },
  approval: {
    holds: 'requests, grants, presence, quorum; whether a grant covers an event',
    imports: ['json', 'crypto', 'event', 'policy'],
    packages: [],
    pure: 'all',
  },
  audit: {
    holds: 'records, tree, checkpoints, proofs, verification, redaction',
    imports: ['json', 'crypto', 'event'],
    // For `portable`, the second implementation, which imports nothing else and runs in a browser.
    packages: ['@noble/ed25519', '@noble/hashes'],
    pure: 'all',
  },
  runtime: {
    holds: '`decide`, ActionRuntime, the state both need as an interface',
    imports: ['event', 'policy', 'approval', 'audit'],
    packages: [],
    pure: ['decide', 'store.ts'],
  },
  storage: {
    holds: 'the database engines: commit and queries',
    // anchor: whoever opens a log compares it with its high-water file; no caller may forget to.
    // crypto: the argument key and writer ids are made where they are stored, and disclosures are found by digest.
    imports: ['json', 'crypto', 'audit', 'approval', 'runtime', 'anchor'],
    packages: ['better-sqlite3', 'pg'],
    pure: [],
  },
  anchor: {
    holds: 'high-water file, exec hook, witness client and server',
    imports: ['crypto', 'audit'],
    packages: ['@sigstore/verify'],
    pure: [],
  },
  mcp: {
    holds: 'messages, sessions, routing, upstream connections, tool pinning',
    imports: ['json', 'crypto', 'transport', 'event'],
    packages: [],
    pure: [],
  },
  proxy: {
    holds: 'the hub: MCP and runtime together, held calls, life cycle',
    imports: ['transport', 'mcp', 'event', 'runtime', 'approval'],
    packages: [],
    pure: [],
  },
  auth: {
    holds: 'who may use the HTTP front; OAuth towards upstreams',
    imports: ['crypto'],
    packages: ['jose', '@modelcontextprotocol/client'],
    pure: [],
  },
  config: {
    holds: 'capfence.mcp.json as an exact type',
    imports: ['json', 'event', 'policy'],
    packages: ['zod'],
    pure: [],
  },
  replay: {
    holds: 'traces, replay, simulation, learning, evidence',
    // crypto: a trace has a checksum, and what it discloses is found by digest.
    imports: ['json', 'crypto', 'event', 'policy', 'approval', 'runtime', 'audit'],
    packages: [],
    pure: 'all',
  },
  clients: {
    holds: 'known MCP clients as data; wrap and unwrap',
    imports: ['config'],
    packages: ['toml-eslint-parser', 'yaml'],
    pure: [],
  },
  scan: {
    holds: 'tools that no gate covers, in code and client configurations',
    imports: ['config', 'clients'],
    packages: ['oxc-parser', 'web-tree-sitter'],
    pure: [],
  },
  probe: {
    holds: 'the bypass corpus against any proxy',
    imports: ['json', 'transport'],
    packages: [],
    pure: [],
  },
  adapters: {
    holds: 'in-process gates for SDK clients, tool maps, functions',
    // json: arguments are read as strictly as those of a message. proxy: a blocked call is answered as the gate does.
    imports: ['json', 'event', 'runtime', 'proxy'],
    packages: [],
    pure: [],
  },
  dashboard: {
    holds: "the operator's page",
    // crypto: one-time codes and cookies are kept as digests.
    imports: [
      'json',
      'crypto',
      'event',
      'policy',
      'runtime',
      'approval',
      'audit',
      'storage',
      'replay',
    ],
    // preact: what its script in `web` is bundled with.
    packages: ['hono', '@hono/node-server', 'preact'],
    pure: [],
  },
  telemetry: {
    holds: 'OpenTelemetry names, Prometheus text, JSON logs',
    imports: ['event'],
    packages: ['@opentelemetry/api'],
    pure: [],
  },
  cli: {
    holds: 'arguments to one command; builds the parts',
    imports: 'any',
    packages: 'any',
    pure: [],
  },
}

/**
 * Files that stand beside the rooms. Every room may import `errors.ts` and `limits.ts`, which import nothing;
 * `index.ts` is the library and imports anything, and nothing imports it.
 */
export const lobby = { shared: ['errors.ts', 'limits.ts'], library: 'index.ts' }

/**
 * Node modules with a reach so long that only these rooms may hold them. A pure file may import none but what
 * `timelessNames` says; everything not named here is open to every other file.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const keptModules = {
  child_process: ['transport', 'anchor', 'probe', 'cli'],
  cluster: [],
  dgram: [],
  dns: ['transport', 'auth', 'anchor', 'cli'],
  http: ['transport', 'auth', 'anchor', 'dashboard', 'telemetry', 'probe', 'cli'],
  http2: [],
  https: ['transport', 'auth', 'anchor', 'probe', 'cli'],
  inspector: [],
  module: ['cli'],
  net: ['transport', 'auth', 'anchor', 'dashboard', 'probe', 'cli'],
  repl: [],
  sqlite: ['storage'],
  tls: ['transport', 'auth', 'anchor', 'probe', 'cli'],
  vm: [],
  wasi: [],
}

/**
 * What the pure files of a room may import of a Node module: its answers depend on nothing but the arguments.
 *
 * @type {Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>}
 */
export const timelessNames = {
  crypto: {
    crypto: [
      'createHash',
      'createHmac',
      'createPrivateKey',
      'createPublicKey',
      'hash',
      'KeyObject',
      'sign',
      'timingSafeEqual',
      'verify',
    ],
  },
}

/**
 * Packages that become part of what is shipped, so that users need not have them: only files under these paths may
 * import them, because only these are bundled with them.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const bundledPackages = { preact: 'dashboard/web/' }
