import type { ConnectionRule } from './framework.ts'

/** Packages of MCP. */
export const mcp: readonly string[] = ['mcp', 'fastmcp']
/** Packages of LangChain. */
export const langchain: readonly string[] = [
  'langchain',
  'langchain_core',
  'langchain_classic',
  'langchain_community',
]
/** Packages of CrewAI. */
export const crewai: readonly string[] = ['crewai', 'crewai_tools']
/** Packages of AutoGen, which has had several names. */
export const autogen: readonly string[] = [
  'ag2',
  'autogen',
  'autogen_agentchat',
  'autogen_core',
  'autogen_ext',
  'pyautogen',
]
/** Packages of the Claude Agent SDK. */
export const claude: readonly string[] = ['claude_agent_sdk', 'claude_code_sdk']

const stdio = {
  command: [{ at: 0, named: 'command' }],
  args: [{ at: 1, named: 'args' }],
} as const

/** What connects to MCP servers in Python. */
export const pyConnections: readonly ConnectionRule[] = [
  {
    framework: 'MCP SDK',
    packages: mcp,
    paths: ['StdioServerParameters', 'StdioTransport'],
    ...stdio,
  },
  {
    framework: 'MCP SDK',
    packages: mcp,
    paths: [
      'streamablehttp_client',
      'streamable_http_client',
      'sse_client',
      'websocket_client',
      'StreamableHttpTransport',
      'SSETransport',
    ],
    url: [{ at: 0, named: 'url' }],
  },
  {
    framework: 'MCP SDK',
    packages: ['fastmcp'],
    paths: ['Client'],
    url: [{ at: 0, named: 'transport' }],
    isTextOnly: true,
  },
  {
    framework: 'LangChain',
    packages: ['langchain_mcp_adapters'],
    paths: ['MultiServerMCPClient'],
    servers: [{ at: 0, named: 'connections' }],
  },
  {
    framework: 'CrewAI',
    packages: crewai,
    paths: ['MCPServerStdio'],
    ...stdio,
  },
  {
    framework: 'CrewAI',
    packages: crewai,
    paths: ['MCPServerHTTP', 'MCPServerSSE'],
    url: [{ at: 0, named: 'url' }],
  },
  {
    framework: 'AutoGen',
    packages: autogen,
    paths: ['StdioServerParams'],
    ...stdio,
  },
  {
    framework: 'AutoGen',
    packages: autogen,
    paths: ['SseServerParams', 'StreamableHttpServerParams'],
    url: [{ at: 0, named: 'url' }],
  },
  {
    framework: 'LlamaIndex',
    packages: ['llama_index'],
    paths: ['BasicMCPClient'],
    command: [{ at: 0, named: 'command_or_url' }],
    args: [{ named: 'args' }],
  },
  {
    framework: 'PydanticAI',
    packages: ['pydantic_ai'],
    paths: ['MCPServerStdio'],
    ...stdio,
  },
  {
    framework: 'PydanticAI',
    packages: ['pydantic_ai'],
    paths: ['MCPServerSSE', 'MCPServerStreamableHTTP', 'MCPServerHTTP'],
    url: [{ at: 0, named: 'url' }],
  },
  {
    framework: 'OpenAI Agents',
    packages: ['agents'],
    paths: ['MCPServerStdio'],
    command: [{ at: 0, named: 'params', key: 'command' }],
    args: [{ at: 0, named: 'params', key: 'args' }],
  },
  {
    framework: 'OpenAI Agents',
    packages: ['agents'],
    paths: ['MCPServerSse', 'MCPServerStreamableHttp'],
    url: [{ at: 0, named: 'params', key: 'url' }],
  },
  {
    framework: 'OpenAI Agents',
    packages: ['agents'],
    paths: ['HostedMCPTool'],
    url: [{ at: 0, named: 'tool_config', key: 'server_url' }],
  },
  {
    framework: 'Claude Agent SDK',
    packages: claude,
    paths: ['ClaudeAgentOptions', 'ClaudeCodeOptions'],
    servers: [{ named: 'mcp_servers' }],
  },
]
