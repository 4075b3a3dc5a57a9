/**
 * Judges whether the order of a Map or Set may reach a message: that order tells in which order things arrived, and two
 * replicas that hold the same would say it differently. A simple approximation on the safe side:
 *
 * 1. An array made of a Map, a Set or an iterator of one (`[...x]`, `Array.from(x)`) must be sorted in the same chain of
 *    calls (`.sort(…)`, `.toSorted(…)`), or end it where order can't matter (`.some`, `.every`, `.includes`, `.length`,
 *    `new Set(…)`, `Math.max(...x)`).
 * 2. A loop over one may read, count, assign the best it saw, and change Maps and Sets. It may not call a function for
 *    its effect, push to an array that its function doesn't sort, build a text, yield, or return or break out with what
 *    it found first: sort before.
 * 3. `.forEach` on one is refused: write a loop.
 * 4. Where the order is right as it is, a comment in the line before (`// order: why`) lets it pass.
 *
 * It doesn't follow an iterator through a variable of another type, nor an array through a function's result.
 */
import ts from 'typescript';

/** Says what is wrong at a node. */
export type Report = (node: ts.Node, what: string) => void;

const KEYED = new Set(['Map', 'Set', 'ReadonlyMap', 'ReadonlySet', 'MapIterator', 'SetIterator']);
const SORTING = new Set(['sort', 'toSorted']);
const ORDERLESS = new Set(['some', 'every', 'includes', 'length']);
const KEYED_CHANGES = new Set(['set', 'add', 'delete', 'clear']);

/** The rule for one file. */
export class OrderRule {
  constructor(
    private readonly source: ts.SourceFile,
    private readonly checker: ts.TypeChecker,
    private readonly report: Report,
  ) {}

  /** Judges one node, not its children. */
  judge(node: ts.Node): void {
    if (ts.isArrayLiteralExpression(node)) {
      this.judgeArray(node);
    } else if (ts.isCallExpression(node)) {
      this.judgeCall(node);
    } else if (ts.isForOfStatement(node)) {
      this.judgeLoop(node);
    }
  }

  private isKeyed(node: ts.Node): boolean {
    const type = this.checker.getNonNullableType(this.checker.getTypeAtLocation(node));
    const parts = type.isUnion() ? type.types : [type];
    return parts.some((part) => KEYED.has((part.symbol ?? part.aliasSymbol)?.name ?? ''));
  }

  private isKeyedOrDefault(node: ts.Expression): boolean {
    const inner = skipParentheses(node);
    if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
      return this.isKeyed(inner.left) || this.isKeyed(inner.right);
    }
    return this.isKeyed(inner);
  }

  private judgeArray(node: ts.ArrayLiteralExpression): void {
    if (ts.isForOfStatement(node.parent) && loopedOver(node.parent) !== node) {
      return; // A loop over a copy; judged as a loop.
    }
    const spread = node.elements.some((part) => ts.isSpreadElement(part) && this.isKeyedOrDefault(part.expression));
    if (spread && !this.endsOrderly(node) && !this.hasReason(node)) {
      this.report(node, 'an array in the order of a Map or Set; sort it');
    }
  }

  private judgeCall(node: ts.CallExpression): void {
    const { expression, arguments: parameters } = node;
    const callee = expression.getText(this.source);
    const [first] = parameters;
    if (callee === 'Array.from' && first !== undefined && this.isKeyedOrDefault(first)) {
      if (!this.endsOrderly(node) && !this.hasReason(node)) {
        this.report(node, 'an array in the order of a Map or Set; sort it');
      }
    } else if (ts.isPropertyAccessExpression(expression) && expression.name.text === 'forEach') {
      if (this.isKeyed(expression.expression) && !this.hasReason(node)) {
        this.report(node, 'forEach in the order of a Map or Set; write a loop');
      }
    }
    const spread = parameters.some((part) => ts.isSpreadElement(part) && this.isKeyedOrDefault(part.expression));
    if (spread && !isExtreme(node) && !this.hasReason(node)) {
      this.report(node, 'arguments in the order of a Map or Set; sort them');
    }
  }

  /** Whether the chain of calls on `array` sorts it or ends where order can't matter. */
  private endsOrderly(array: ts.Expression): boolean {
    let node: ts.Node = array;
    for (;;) {
      const parent: ts.Node = node.parent;
      if (ts.isParenthesizedExpression(parent) || ts.isNonNullExpression(parent)) {
        node = parent;
      } else if (ts.isPropertyAccessExpression(parent) && parent.expression === node) {
        if (SORTING.has(parent.name.text) || ORDERLESS.has(parent.name.text)) {
          return true;
        }
        node = parent;
      } else if (ts.isCallExpression(parent) && parent.expression === node) {
        node = parent;
      } else if (ts.isSpreadElement(parent)) {
        return ts.isCallExpression(parent.parent) && isExtreme(parent.parent);
      } else {
        return ts.isNewExpression(parent) && /^(?:Set|Map)$/.test(parent.expression.getText(this.source));
      }
    }
  }

  private judgeLoop(node: ts.ForOfStatement): void {
    if (!this.isKeyedOrDefault(loopedOver(node)) || this.hasReason(node)) {
      return;
    }
    const use = this.orderedUse(node.statement, true);
    if (use !== undefined) {
      this.report(node, `a loop in the order of a Map or Set that ${use}; sort before it`);
    }
  }

  /** What a loop's body does that shows in which order it ran. */
  private orderedUse(node: ts.Node, inLoop: boolean): string | undefined {
    if (ts.isFunctionLike(node)) {
      return undefined;
    }
    if (ts.isExpressionStatement(node)) {
      const expression = skipParentheses(node.expression);
      if (ts.isCallExpression(expression) && !this.changesKeyed(expression) && !this.collectsToSort(expression)) {
        return 'calls for an effect';
      }
      if (this.buildsText(expression)) {
        return 'builds a text';
      }
    }
    if (ts.isYieldExpression(node)) {
      return 'yields';
    }
    if (ts.isReturnStatement(node) && node.expression !== undefined && !isConstant(node.expression)) {
      return 'returns what it found first';
    }
    if (ts.isBreakStatement(node) && inLoop) {
      return 'breaks at what it found first';
    }
    const innerLoop = ts.isIterationStatement(node, false) || ts.isSwitchStatement(node);
    return ts.forEachChild(node, (child) => this.orderedUse(child, inLoop && !innerLoop));
  }

  private changesKeyed(call: ts.CallExpression): boolean {
    const { expression } = call;
    return (
      ts.isPropertyAccessExpression(expression) &&
      KEYED_CHANGES.has(expression.name.text) &&
      this.isKeyed(expression.expression)
    );
  }

  /** `list.push(…)` where the same function sorts `list`. */
  private collectsToSort({ expression }: ts.CallExpression): boolean {
    if (!ts.isPropertyAccessExpression(expression) || expression.name.text !== 'push') {
      return false;
    }
    const list = this.checker.getSymbolAtLocation(expression.expression);
    const sorts = (node: ts.Node): boolean =>
      (ts.isPropertyAccessExpression(node) &&
        SORTING.has(node.name.text) &&
        this.checker.getSymbolAtLocation(node.expression) === list) ||
      (ts.forEachChild(node, sorts) ?? false);
    const owner = ts.findAncestor(expression, ts.isFunctionLike) ?? this.source;
    return list !== undefined && ts.isIdentifier(expression.expression) && sorts(owner);
  }

  private buildsText(node: ts.Expression): boolean {
    return (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.PlusEqualsToken &&
      (this.checker.getTypeAtLocation(node.left).flags & ts.TypeFlags.StringLike) !== 0
    );
  }

  /** Whether the line before the statement (or the line of the expression) says why its order is right. */
  private hasReason(node: ts.Node): boolean {
    const lines = this.source.text.split('\n');
    const lineOf = (at: ts.Node): number => this.source.getLineAndCharacterOfPosition(at.getStart(this.source)).line;
    const statement = ts.findAncestor(node, (ancestor) => ts.isStatement(ancestor) || ts.isClassElement(ancestor));
    return [lineOf(node), lineOf(statement ?? node)].some((line) => /^\s*\/\/ order: \S/.test(lines[line - 1] ?? ''));
  }
}

/** What a loop goes over: `x` also where it is `[...x]`, a copy that lets the loop change x. */
function loopedOver(loop: ts.ForOfStatement): ts.Expression {
  const expression = skipParentheses(loop.expression);
  const [only, ...others] = ts.isArrayLiteralExpression(expression) ? expression.elements : [];
  return only !== undefined && ts.isSpreadElement(only) && others.length === 0 ? only.expression : expression;
}

/** A call whose result is the same for any order of its arguments. */
function isExtreme(call: ts.CallExpression): boolean {
  return /^Math\.(?:max|min)$/.test(call.expression.getText());
}

function skipParentheses(node: ts.Expression): ts.Expression {
  let inner = node;
  while (ts.isParenthesizedExpression(inner)) {
    inner = inner.expression;
  }
  return inner;
}

function isConstant(node: ts.Expression): boolean {
  const inner = skipParentheses(node);
  return (
    inner.kind === ts.SyntaxKind.TrueKeyword ||
    inner.kind === ts.SyntaxKind.FalseKeyword ||
    inner.kind === ts.SyntaxKind.NullKeyword ||
    ts.isNumericLiteral(inner) ||
    ts.isStringLiteral(inner) ||
    (ts.isIdentifier(inner) && inner.text === 'undefined')
  );
}
