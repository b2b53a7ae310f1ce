/** How a file is written. */
export type FileFormat = 'json' | 'toml' | 'yaml'

/** Whose servers a file names: the machine's, this user's, or those of a project. */
export type Scope = 'system' | 'user' | 'project'

/** A file in which a client keeps its servers. */
export interface ClientFile {
  readonly scope: Scope
  /**
   * Paths, the first that exists counts: `~` is the home folder, `$NAME` an environment variable, `./` the project; a
   * path with a variable that is not set is passed over. On a system that is not named there is no such file.
   */
  readonly paths: Readonly<Partial<Record<NodeJS.Platform | 'any', readonly string[]>>>
  readonly format: FileFormat
  /** The names on the way to the servers; `*` is any name. Several where versions differ. */
  readonly servers: readonly (readonly string[])[]
  /** Whether the servers are a list of entries with a `name`; otherwise names and entries. */
  readonly isList?: boolean
}

/** What CapFence knows of an MCP client (CLIENTS.md). Paths and limits move: each has a date. */
export interface Client {
  readonly id: string
  readonly name: string
  readonly files: readonly ClientFile[]
  /** How long a tool's name may be together with its server's, characters; undefined where nothing is known. */
  readonly maxToolName?: number
  /** Year and month. */
  readonly lastChecked: string
}

const mcpServers = [['mcpServers']] as const
const lastChecked = '2026-11'

const user = (
  paths: ClientFile['paths'],
  format: FileFormat = 'json',
  servers: ClientFile['servers'] = mcpServers,
): ClientFile => ({ scope: 'user', paths, format, servers })

const project = (
  paths: readonly string[],
  format: FileFormat = 'json',
  servers: ClientFile['servers'] = mcpServers,
): ClientFile => ({ scope: 'project', paths: { any: paths }, format, servers })

const codeFolders = (rest: string): ClientFile['paths'] => ({
  darwin: [`~/Library/Application Support/Code/User/${rest}`],
  linux: [`$XDG_CONFIG_HOME/Code/User/${rest}`, `~/.config/Code/User/${rest}`],
  win32: [`$APPDATA/Code/User/${rest}`],
})

/** Every client that is known, by name. */
export const clients: readonly Client[] = [
  {
    id: 'claude-desktop',
    name: 'Claude Desktop',
    files: [
      user({
        darwin: ['~/Library/Application Support/Claude/claude_desktop_config.json'],
        linux: [
          '~/.config/Claude/claude_desktop_config.json',
          '~/.config/claude/claude_desktop_config.json',
        ],
        win32: ['$APPDATA/Claude/claude_desktop_config.json'],
      }),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'claude-code',
    name: 'Claude Code',
    files: [
      user({ any: ['$CLAUDE_CONFIG_DIR/.claude.json', '~/.claude.json'] }, 'json', [
        ['mcpServers'],
        ['projects', '*', 'mcpServers'],
      ]),
      project(['./.mcp.json']),
      {
        scope: 'system',
        paths: {
          darwin: ['/Library/Application Support/ClaudeCode/managed-mcp.json'],
          linux: ['/etc/claude-code/managed-mcp.json'],
          win32: ['$ProgramFiles/ClaudeCode/managed-mcp.json'],
        },
        format: 'json',
        servers: mcpServers,
      },
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'cursor',
    name: 'Cursor',
    files: [user({ any: ['~/.cursor/mcp.json'] }), project(['./.cursor/mcp.json'])],
    maxToolName: 60,
    lastChecked,
  },
  {
    id: 'vscode',
    name: 'VS Code',
    files: [
      user(codeFolders('mcp.json'), 'json', [['servers']]),
      user(codeFolders('settings.json'), 'json', [['mcp', 'servers']]),
      user({ any: ['~/.vscode-server/data/User/mcp.json'] }, 'json', [['servers']]),
      project(['./.vscode/mcp.json'], 'json', [['servers']]),
      project(['./.devcontainer/devcontainer.json', './.devcontainer.json'], 'json', [
        ['customizations', 'vscode', 'mcp', 'servers'],
      ]),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'copilot-cli',
    name: 'GitHub Copilot CLI',
    files: [
      user({ any: ['$COPILOT_HOME/mcp-config.json', '~/.copilot/mcp-config.json'] }),
      project(['./.github/mcp.json']),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'windsurf',
    name: 'Windsurf',
    files: [
      user({ any: ['~/.codeium/windsurf/mcp_config.json'] }),
      user({ any: ['~/.codeium/mcp_config.json'] }),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'zed',
    name: 'Zed',
    files: [
      user(
        {
          darwin: [
            '~/.config/zed/settings.json',
            '~/Library/Application Support/Zed/settings.json',
          ],
          linux: ['$XDG_CONFIG_HOME/zed/settings.json', '~/.config/zed/settings.json'],
          win32: ['$APPDATA/Zed/settings.json'],
        },
        'json',
        [['context_servers']],
      ),
      project(['./.zed/settings.json'], 'json', [['context_servers']]),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'codex',
    name: 'Codex',
    files: [
      user({ any: ['$CODEX_HOME/config.toml', '~/.codex/config.toml'] }, 'toml', [['mcp_servers']]),
      project(['./.codex/config.toml'], 'toml', [['mcp_servers']]),
      {
        scope: 'system',
        paths: {
          darwin: ['/etc/codex/config.toml'],
          linux: ['/etc/codex/config.toml'],
          win32: ['$ProgramData/OpenAI/Codex/config.toml'],
        },
        format: 'toml',
        servers: [['mcp_servers']],
      },
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'gemini-cli',
    name: 'Gemini CLI',
    files: [user({ any: ['~/.gemini/settings.json'] }), project(['./.gemini/settings.json'])],
    maxToolName: 63,
    lastChecked,
  },
  {
    id: 'antigravity',
    name: 'Antigravity',
    files: [
      user({ any: ['~/.gemini/config/mcp_config.json', '~/.gemini/antigravity/mcp_config.json'] }),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'goose',
    name: 'Goose',
    files: [
      user(
        {
          darwin: ['~/.config/goose/config.yaml'],
          linux: ['$XDG_CONFIG_HOME/goose/config.yaml', '~/.config/goose/config.yaml'],
          win32: ['$APPDATA/Block/goose/config/config.yaml'],
        },
        'yaml',
        [['extensions']],
      ),
      project(['./.goose/config.yaml'], 'yaml', [['extensions']]),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'cline',
    name: 'Cline',
    files: [
      user({ any: ['~/.cline/data/settings/cline_mcp_settings.json'] }),
      user(codeFolders('globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json')),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'continue',
    name: 'Continue',
    files: [
      { ...user({ any: ['~/.continue/config.yaml'] }, 'yaml'), isList: true },
      { ...project(['./.continue/config.yaml'], 'yaml'), isList: true },
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'opencode',
    name: 'opencode',
    files: [
      user(
        {
          any: [
            '$XDG_CONFIG_HOME/opencode/opencode.jsonc',
            '$XDG_CONFIG_HOME/opencode/opencode.json',
            '~/.config/opencode/opencode.jsonc',
            '~/.config/opencode/opencode.json',
          ],
        },
        'json',
        [['mcp'], ['mcp', 'servers']],
      ),
      project(['./opencode.jsonc', './opencode.json'], 'json', [['mcp'], ['mcp', 'servers']]),
    ],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'lm-studio',
    name: 'LM Studio',
    files: [user({ any: ['~/.lmstudio/mcp.json', '~/.cache/lm-studio/mcp.json'] })],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'junie',
    name: 'JetBrains Junie',
    files: [user({ any: ['~/.junie/mcp/mcp.json'] }), project(['./.junie/mcp/mcp.json'])],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'kiro',
    name: 'Kiro',
    files: [user({ any: ['~/.kiro/settings/mcp.json'] }), project(['./.kiro/settings/mcp.json'])],
    maxToolName: 64,
    lastChecked,
  },
  {
    id: 'amp',
    name: 'Amp',
    files: [
      user(
        {
          any: ['$XDG_CONFIG_HOME/amp/settings.json', '~/.config/amp/settings.json'],
        },
        'json',
        [['amp.mcpServers']],
      ),
    ],
    maxToolName: 64,
    lastChecked,
  },
]

/** The ways on which servers are looked for in a file that no client is known by. */
export const genericServers: readonly (readonly string[])[] = [
  ['mcpServers'],
  ['servers'],
  ['context_servers'],
  ['mcp_servers'],
  ['mcp', 'servers'],
  ['mcp'],
  ['extensions'],
]
