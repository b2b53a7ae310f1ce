import type { FileFormat } from '../../src/clients/table.ts'

/** A file as a person or a client has written it, with the servers in it that can be gated. */
export interface Sample {
  readonly name: string
  /** Where it stands in a home folder, or with `./` in a project. */
  readonly path: string
  readonly format: FileFormat
  readonly text: string
  readonly raw: readonly string[]
}

const json = (
  name: string,
  path: string,
  text: string,
  raw: readonly string[] = ['git', 'files'],
): Sample => ({ name, path, format: 'json', text, raw })

const windows = (text: string): string => text.replaceAll('\n', '\r\n')

const cursor = '.cursor/mcp.json'

/** Every way of writing that is known to have broken somebody's editor. */
export const samples: readonly Sample[] = [
  json(
    'JSON as a client writes it',
    cursor,
    `{
  "mcpServers": {
    "git": { "command": "npx", "args": ["-y", "@x/git", "--token", "t0p"], "env": { "A": "1" } },
    "files": {
      "command": "node",
      "args": [
        "server.js",
        "/srv"
      ]
    }
  }
}
`,
  ),
  json(
    'JSON on one line, without a last line end',
    cursor,
    '{"mcpServers":{"git":{"command":"npx","args":[]},"files":{"args":["a"],"command":"node"}}}',
  ),
  json(
    'JSON with odd blanks',
    cursor,
    '{ "mcpServers"\t:\n{"git"   :{\t"command" :"npx" , "args":[ "a" ,\n"b"]\n\n}  ,\n"files":{"command":"node"}}\n\n\n }\n',
  ),
  json(
    'JSON with the line ends of Windows and a byte order mark',
    cursor,
    windows(
      '\uFEFF{\n  "mcpServers": {\n    "git": {\n      "command": "cmd",\n      "args": ["/c", "npx", "x"]\n    },\n    "files": { "command": "C:\\\\node.exe" }\n  }\n}\n',
    ),
  ),
  json(
    'JSON with comments and trailing commas',
    '.config/zed/settings.json',
    `// my settings
{
  "theme": "One", // dark
  /* servers */
  "context_servers": {
    "git": {
      "source": "custom",
      "command": "npx", // why
      "args": [
        "-y", // yes
        "git", /* the last */
      ],
    },
    "files": { "source": "custom", "command": "node" /* no arguments */ },
  },
}
`,
  ),
  json(
    'settings around the servers, and escapes in names',
    '.config/Claude/claude_desktop_config.json',
    `{
  "globalShortcut": "Ctrl+Space",
  "mcpServers": {
    "g\\u0069t": { "command": "n\\u0070x", "args": ["\\u00e4", "a b"] },
    "files": { "command": "node", "args": ["\u00e4\u{1f600}"] }
  },
  "n": [1, 2.50, -3e4, true, null]
}
`,
  ),
  json(
    'the scopes of Claude Code',
    '.claude.json',
    `{
  "numStartups": 12,
  "mcpServers": { "git": { "type": "stdio", "command": "npx", "args": ["git"], "env": {} } },
  "projects": {
    "/home/me/one": { "mcpServers": { "files": { "command": "node", "args": ["x"] } }, "history": [] },
    "/home/me/two": { "mcpServers": { "files": { "command": "node", "args": ["y"] } } }
  }
}
`,
    ['git', 'files', 'files'],
  ),
  json(
    'a command that is a list',
    '.config/opencode/opencode.jsonc',
    `{
  // opencode
  "mcp": {
    "git": { "type": "local", "command": ["npx", "-y", "git"], "enabled": true, "environment": { "A": "1" } },
    "files": { "type": "local", "command": ["node"] }
  }
}
`,
  ),
  json(
    'a command in a transport',
    '.cline/data/settings/cline_mcp_settings.json',
    `{
  "mcpServers": {
    "git": { "transport": { "type": "stdio", "command": "npx", "args": ["git"] }, "autoApprove": [] },
    "files": { "command": "node", "args": [], "disabled": true, "timeout": 60 }
  }
}
`,
  ),
  json(
    'the key `servers` of VS Code',
    './.vscode/mcp.json',
    `{
  "inputs": [{ "type": "promptString", "id": "t", "password": true }],
  "servers": {
    "git": { "type": "stdio", "command": "npx", "args": ["git"], "env": { "T": "\${input:t}" } },
    "files": { "command": "node", "args": ["s.js"] },
    "web": { "type": "http", "url": "https://example.com/mcp" },
    "filled": { "command": "node", "args": ["\${workspaceFolder}/s.js"] }
  }
}
`,
  ),
  {
    name: 'TOML with comments, and tables in any order',
    path: '.codex/config.toml',
    format: 'toml',
    raw: ['git', 'files', 'inline', 'dotted'],
    text: `# Codex
model = "x"   # a model

[mcp_servers.git]   # the first
command = "npx"     # why
args = [
  "-y",             # yes
  'git',
]
startup_timeout_sec = 20

[mcp_servers.git.env]
A = "1"

[mcp_servers."files"]
command = 'node'

[mcp_servers]
inline = { command = "node", args = ["a"] }
dotted.command = "node"
remote.url = "https://example.com/mcp"

[[notes]]
text = """
many
lines"""
`,
  },
  {
    name: 'TOML with the line ends of Windows',
    path: '.codex/config.toml',
    format: 'toml',
    raw: ['git', 'files'],
    text: windows(
      '\uFEFF[mcp_servers.git]\n  command = "npx" # c\n\n[mcp_servers.files]\nargs = ["a"]\ncommand = "node"\n',
    ),
  },
  {
    name: 'YAML with comments, blocks and flows',
    path: '.config/goose/config.yaml',
    format: 'yaml',
    raw: ['git', 'files', 'flow', 'same'],
    text: `# Goose
GOOSE_MODEL: x   # a model
extensions:
  # the first
  git:
    type: stdio
    cmd: npx          # why
    args:             # many
      - -y
      # in between
      - "git"         # the last

    enabled: true
    envs: { A: '1' }
  files:
    cmd: 'node'   # no arguments
    type: stdio
  flow: { cmd: node, args: [a, "b"], type: stdio }
  same:
    args:
    - a
    - b
    cmd: node
  builtin:
    type: builtin
    enabled: true
# the end
`,
  },
  {
    name: 'a YAML list of servers, with the line ends of Windows',
    path: '.continue/config.yaml',
    format: 'yaml',
    raw: ['git', 'files'],
    text: windows(`name: me
mcpServers:
  - name: git
    command: npx
    args:
      - -y
      - git
  - command: node
    name: files
models: []
`),
  },
]
