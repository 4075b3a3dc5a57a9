/**
 * Judges that code is pure by its syntax tree and types: what import rules don't show. Used on src/protocol and
 * src/ledger, where the same events must give the same effects, byte for byte, on every machine.
 *
 * Found are: packages and node:* modules; globals of Node.js, Date, Promise, Intl and others that know time, chance or
 * place; Math beyond what IEEE 754 fixes; async and await; locale functions; and what order-rule.ts finds.
 */
import ts from 'typescript';
import { OrderRule } from './order-rule.js';

/** One breach. */
export interface Impurity {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly what: string;
}

/** Globals of the language that depend on time, chance, place, or the garbage collector, or run later. */
const FORBIDDEN_GLOBALS = new Set([
  ...['Date', 'Promise', 'PromiseLike', 'AsyncIterable', 'AsyncIterator', 'AsyncGenerator', 'Intl', 'Atomics'],
  ...['SharedArrayBuffer', 'WeakRef', 'FinalizationRegistry', 'eval', 'Function', 'globalThis', 'console'],
]);

/** The parts of Math whose results every machine agrees on. */
const EXACT_MATH = new Set(['abs', 'ceil', 'clz32', 'floor', 'imul', 'max', 'min', 'round', 'sign', 'sqrt', 'trunc']);

/** The compiler's settings of this project. */
export function projectOptions(configPath: string): ts.CompilerOptions {
  const { config, error } = ts.readConfigFile(configPath, ts.sys.readFile);
  if (error !== undefined) {
    throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ts.sys.getCurrentDirectory());
  return { ...options, noEmit: true };
}

/** Every breach in `files` (paths as the program knows them), in the order of the text. */
export function findImpurities(program: ts.Program, files: readonly string[]): Impurity[] {
  const checker = program.getTypeChecker();
  return files.flatMap((file) => {
    const source = program.getSourceFile(file);
    if (source === undefined) {
      throw new Error(`not in the program: ${file}`);
    }
    return new Inspector(source, checker).inspect();
  });
}

class Inspector {
  private readonly found: Impurity[] = [];

  constructor(
    private readonly source: ts.SourceFile,
    private readonly checker: ts.TypeChecker,
  ) {}

  inspect(): Impurity[] {
    const order = new OrderRule(this.source, this.checker, (node, what) => this.report(node, what));
    const visit = (node: ts.Node): void => {
      this.judgeImport(node);
      this.judgeAsync(node);
      this.judgeName(node);
      order.judge(node);
      ts.forEachChild(node, visit);
    };
    visit(this.source);
    return this.found;
  }

  private report(node: ts.Node, what: string): void {
    const { line } = this.source.getLineAndCharacterOfPosition(node.getStart(this.source));
    this.found.push({ file: this.source.fileName, line: line + 1, what });
  }

  private judgeImport(node: ts.Node): void {
    let specifier: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      specifier = node.moduleSpecifier;
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      specifier = node.argument.literal;
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      this.report(node, 'import() loads later');
    }
    if (specifier !== undefined && ts.isStringLiteral(specifier) && !/^\.\.?\//.test(specifier.text)) {
      this.report(node, `import of ${specifier.text}`);
    }
  }

  private judgeAsync(node: ts.Node): void {
    if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword) {
      this.report(node, node.kind === ts.SyntaxKind.AsyncKeyword ? 'async' : 'await');
    } else if (ts.isAwaitExpression(node)) {
      this.report(node, 'await');
    }
  }

  private judgeName(node: ts.Node): void {
    if (!ts.isIdentifier(node) && !ts.isStringLiteral(node)) {
      return;
    }
    const isMember = isMemberName(node);
    if ((isMember || isBoundMember(node)) && (node.text === 'localeCompare' || node.text.startsWith('toLocale'))) {
      this.report(node, `${node.text} depends on the locale`);
    }
    if (!ts.isIdentifier(node) || isMember) {
      return;
    }
    const origin = node.text === 'globalThis' ? 'language' : this.globalOrigin(node);
    if (origin === 'node' || (origin === 'language' && FORBIDDEN_GLOBALS.has(node.text))) {
      this.report(node, `${node.text} is forbidden here`);
    } else if (origin === 'language' && node.text === 'Math') {
      this.judgeMath(node);
    }
  }

  private judgeMath(node: ts.Identifier): void {
    const { parent } = node;
    let member: string | undefined;
    if (ts.isPropertyAccessExpression(parent)) {
      member = parent.name.text;
    } else if (ts.isElementAccessExpression(parent) && ts.isStringLiteral(parent.argumentExpression)) {
      member = parent.argumentExpression.text;
    }
    if (member === undefined || !EXACT_MATH.has(member)) {
      this.report(node, `Math${member === undefined ? '' : `.${member}`} is not exact`);
    }
  }

  /** Where a name that is not declared in the project comes from. */
  private globalOrigin(node: ts.Identifier): 'language' | 'node' | undefined {
    const declarations = this.checker.getSymbolAtLocation(node)?.getDeclarations() ?? [];
    const files = declarations.map((declaration) => declaration.getSourceFile().fileName);
    if (files.some((file) => /\/typescript\/lib\/lib\.[^/]*d\.ts$/.test(file))) {
      return 'language';
    }
    return files.length > 0 && files.every((file) => file.includes('/node_modules/')) ? 'node' : undefined;
  }
}

/** A member that destructuring takes under its own name. */
function isBoundMember(node: ts.Identifier | ts.StringLiteral): boolean {
  const { parent } = node;
  return ts.isBindingElement(parent) && parent.name === node && parent.propertyName === undefined;
}

function isMemberName(node: ts.Identifier | ts.StringLiteral): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isElementAccessExpression(parent) && parent.argumentExpression === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node) ||
    ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) &&
      parent.name === node) ||
    (ts.isQualifiedName(parent) && parent.right === node)
  );
}
