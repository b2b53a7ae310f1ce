import type { Language, ToolRule } from './framework.ts'
import { jsGates } from './gates.ts'

const mcpServer = ['@modelcontextprotocol/sdk', '@modelcontextprotocol/server']
const mcpClient = ['@modelcontextprotocol/sdk', '@modelcontextprotocol/client']
const langchain = ['@langchain/core', 'langchain', '@langchain/classic', '@langchain/community']
const claude = ['@anthropic-ai/claude-agent-sdk', '@anthropic-ai/claude-code']
const openai = ['@openai/agents', '@openai/agents-core', '@openai/agents-realtime']

const tools: readonly ToolRule[] = [
  {
    framework: 'MCP SDK',
    packages: mcpServer,
    paths: ['McpServer().registerTool'],
    rule: 'CF102',
    name: [{ at: 0 }],
    does: [{ at: 'last' }],
    isTelling: true,
  },
  {
    framework: 'MCP SDK',
    packages: mcpServer,
    paths: ['McpServer().tool'],
    rule: 'CF102',
    name: [{ at: 0 }],
    does: [{ at: 'last' }],
  },
  {
    framework: 'MCP SDK',
    packages: mcpServer,
    paths: ['McpServer().experimental.tasks.registerToolTask'],
    rule: 'CF102',
    name: [{ at: 0 }],
    does: [{ at: 'last', key: 'createTask' }],
  },
  {
    framework: 'MCP SDK',
    packages: mcpServer,
    paths: ['Server().setRequestHandler', 'McpServer().server.setRequestHandler'],
    rule: 'CF102',
    does: [{ at: 'last' }],
    only: { at: 0, texts: ['tools/call'], paths: ['CallToolRequestSchema'] },
    isTelling: true,
  },
  {
    framework: 'FastMCP',
    packages: ['fastmcp'],
    paths: ['FastMCP().addTool'],
    rule: 'CF102',
    name: [{ at: 0, key: 'name' }],
    does: [{ at: 0, key: 'execute' }],
  },
  {
    framework: 'AI SDK',
    packages: ['ai', '@ai-sdk/provider-utils'],
    paths: ['tool', 'dynamicTool'],
    rule: 'CF101',
    does: [{ at: 0, key: 'execute' }],
    mayBeEmpty: true,
  },
  {
    framework: 'LangChain.js',
    packages: langchain,
    paths: ['tool'],
    rule: 'CF101',
    name: [{ at: 1, key: 'name' }],
    does: [{ at: 0 }],
  },
  {
    framework: 'LangChain.js',
    packages: langchain,
    paths: ['DynamicTool', 'DynamicStructuredTool'],
    rule: 'CF101',
    name: [{ at: 0, key: 'name' }],
    does: [{ at: 0, key: 'func' }],
  },
  {
    framework: 'Claude Agent SDK',
    packages: claude,
    paths: ['tool'],
    rule: 'CF101',
    name: [{ at: 0 }],
    does: [{ at: 3 }],
  },
  {
    framework: 'Anthropic SDK',
    packages: ['@anthropic-ai/sdk'],
    paths: ['betaZodTool', 'betaTool'],
    rule: 'CF101',
    name: [{ at: 0, key: 'name' }],
    does: [{ at: 0, key: 'run' }],
  },
  {
    framework: 'OpenAI Agents',
    packages: openai,
    paths: ['tool'],
    rule: 'CF101',
    name: [{ at: 0, key: 'name' }],
    does: [{ at: 0, key: 'execute' }],
  },
  {
    framework: 'Mastra',
    packages: ['@mastra/core'],
    paths: ['createTool'],
    rule: 'CF101',
    name: [{ at: 0, key: 'id' }],
    does: [{ at: 0, key: 'execute' }],
    mayBeEmpty: true,
  },
  {
    framework: 'LlamaIndex.TS',
    packages: ['llamaindex', '@llamaindex/core'],
    paths: ['tool', 'FunctionTool.from'],
    rule: 'CF101',
    name: [
      { at: 1, key: 'name' },
      { at: 0, key: 'name' },
    ],
    does: [{ at: 0, key: 'execute' }],
  },
  {
    framework: 'Genkit',
    packages: ['genkit', '@genkit-ai/core'],
    paths: ['genkit().defineTool'],
    rule: 'CF101',
    name: [{ at: 0, key: 'name' }],
    does: [{ at: 'last' }],
  },
]

const permissions = { framework: 'Claude Agent SDK', packages: claude, paths: ['query'] }

/** What is known of frameworks for TypeScript and JavaScript. */
export const jsFrameworks: Language = {
  gates: jsGates,
  tools,
  toolLists: [
    {
      framework: 'AI SDK',
      packages: ['ai'],
      paths: ['generateText', 'streamText', 'ToolLoopAgent', 'Experimental_Agent', 'Agent'],
      rule: 'CF101',
      tools: [{ at: 0, key: 'tools' }],
      does: 'execute',
      takesFunctions: false,
    },
    {
      framework: 'Claude Agent SDK',
      packages: claude,
      paths: ['createSdkMcpServer'],
      rule: 'CF101',
      tools: [{ at: 0, key: 'tools' }],
      does: 'handler',
      takesFunctions: false,
    },
  ],
  toolClasses: [
    {
      framework: 'LangChain.js',
      packages: langchain,
      paths: ['Tool', 'StructuredTool', 'DynamicTool', 'DynamicStructuredTool'],
      rule: 'CF101',
      methods: ['_call'],
    },
  ],
  connections: [
    {
      framework: 'MCP SDK',
      packages: mcpClient,
      paths: ['StdioClientTransport'],
      command: [{ at: 0, key: 'command' }],
      args: [{ at: 0, key: 'args' }],
    },
    {
      framework: 'MCP SDK',
      packages: mcpClient,
      paths: ['StreamableHTTPClientTransport', 'SSEClientTransport', 'WebSocketClientTransport'],
      url: [{ at: 0 }],
    },
    {
      framework: 'AI SDK',
      packages: ['ai', '@ai-sdk/mcp'],
      paths: ['Experimental_StdioMCPTransport', 'StdioMCPTransport'],
      command: [{ at: 0, key: 'command' }],
      args: [{ at: 0, key: 'args' }],
    },
    {
      framework: 'AI SDK',
      packages: ['ai', '@ai-sdk/mcp'],
      paths: ['experimental_createMCPClient', 'createMCPClient'],
      url: [{ at: 0, key: 'transport.url' }],
    },
    {
      framework: 'LangChain.js',
      packages: ['@langchain/mcp-adapters'],
      paths: ['MultiServerMCPClient'],
      servers: [{ at: 0, key: 'mcpServers' }, { at: 0 }],
    },
    {
      framework: 'OpenAI Agents',
      packages: openai,
      paths: ['MCPServerStdio'],
      command: [{ at: 0, key: 'command' }],
      args: [{ at: 0, key: 'args' }],
      line: [{ at: 0, key: 'fullCommand' }],
    },
    {
      framework: 'OpenAI Agents',
      packages: openai,
      paths: ['MCPServerStreamableHttp', 'MCPServerSSE'],
      url: [{ at: 0, key: 'url' }],
    },
    {
      framework: 'OpenAI Agents',
      packages: openai,
      paths: ['hostedMcpTool'],
      url: [{ at: 0, key: 'serverUrl' }],
    },
    {
      framework: 'Claude Agent SDK',
      packages: claude,
      paths: ['query'],
      servers: [{ at: 0, key: 'options.mcpServers' }],
    },
    {
      framework: 'Mastra',
      packages: ['@mastra/mcp'],
      paths: ['MCPClient'],
      servers: [{ at: 0, key: 'servers' }],
    },
  ],
  switches: [
    {
      ...permissions,
      at: [{ at: 0, key: 'options.permissionMode' }],
      value: 'bypassPermissions',
      shown: 'permissionMode',
    },
    {
      ...permissions,
      at: [{ at: 0, key: 'options.allowDangerouslySkipPermissions' }],
      value: true,
      shown: 'allowDangerouslySkipPermissions',
    },
    {
      framework: 'OpenAI Agents',
      packages: openai,
      paths: ['hostedMcpTool'],
      at: [{ at: 0, key: 'requireApproval' }],
      value: 'never',
      shown: 'requireApproval',
    },
  ],
  callbacks: [
    {
      packages: ['mcp-handler', '@vercel/mcp-adapter'],
      paths: ['createMcpHandler'],
      argument: 0,
      parameter: 0,
      is: { module: '@modelcontextprotocol/sdk', path: 'McpServer()' },
    },
  ],
  carriers: {
    packages: [
      {
        packages: ['ai', '@ai-sdk/mcp'],
        paths: ['experimental_createMCPClient', 'createMCPClient'],
      },
      { packages: ['@langchain/mcp-adapters'], paths: ['loadMcpTools'] },
      {
        packages: [''],
        paths: ['Object.values', 'Object.fromEntries', 'Object.assign', 'Promise.all'],
      },
    ],
    takingIn: new Set(['connect', 'push']),
    harmless: new Set(['close', 'listTools', 'ping', 'getServerVersion', 'getServerCapabilities']),
    givingBack: new Set(['tools', 'getTools', 'filter', 'map', 'concat', 'flat', 'slice']),
  },
  packageOf,
}

/** `@scope/name` or `name`, whatever way the runtime finds it. */
function packageOf(module: string): string {
  const bare = module.replace(
    /^(?:npm:|jsr:|https:\/\/(?:esm\.sh|cdn\.jsdelivr\.net\/npm|unpkg\.com)\/)/,
    '',
  )
  return /^(?:@[^/@]+\/)?[^/@]+/.exec(bare)?.[0] ?? ''
}
