//! From text to our own tree. minijinja's lexer and parser do the reading; nothing outside knows of it.

use std::sync::Arc;

use minijinja::machinery::{Span as TheirSpan, ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::Template;
use super::ast::{
    Apply, Arg, Block, Choice, Comparison, Expr, For, Kind, Macro, Program, Slice, Span, Stmt, Target,
};
use super::literal;
use super::scan::{Fault, Scanned, offset, scan_expression, scan_template};
use super::syntax::{Mode, Syntax};
use crate::value::{Operator, Value};

/// Parses a whole template.
pub(super) fn parse_template(source: &str, syntax: &Syntax, mode: Mode) -> Result<Program, Fault> {
    let scanned = scan_template(source, syntax)?;
    let config = config(syntax).map_err(|error| Fault {
        message: error.to_string(),
        span: Span { start: 0, end: offset(source.len()) },
    })?;
    let tree = parse(&scanned.text, "", config).map_err(|error| fault(&error, source, &scanned))?;
    let mut lower = Lower {
        source,
        scanned: &scanned,
        syntax,
        mode,
        printing: false,
        blocks: Vec::new(),
        reads: Reads::default(),
    };
    let ast::Stmt::Template(root) = &tree else {
        return Err(Fault { message: "not a template".to_owned(), span: Span { start: 0, end: 0 } });
    };
    let body = lower.body(&root.children)?;
    Ok(Program { body, blocks: lower.blocks })
}

/// Parses a bare expression.
pub(super) fn parse_expression(source: &str) -> Result<Expr, Fault> {
    let scanned = scan_expression(source)?;
    let tree = parse_expr(&scanned.text).map_err(|error| fault(&error, source, &scanned))?;
    let syntax = Syntax::default();
    let mut lower = Lower {
        source,
        scanned: &scanned,
        syntax: &syntax,
        mode: Mode::Expression,
        printing: false,
        blocks: Vec::new(),
        reads: Reads::default(),
    };
    lower.expr(&tree)
}

fn config(syntax: &Syntax) -> Result<SyntaxConfig, minijinja::Error> {
    SyntaxConfig::builder()
        .block_delimiters(syntax.block.0.clone(), syntax.block.1.clone())
        .variable_delimiters(syntax.variable.0.clone(), syntax.variable.1.clone())
        .comment_delimiters(syntax.comment.0.clone(), syntax.comment.1.clone())
        .trim_blocks(syntax.trim_blocks)
        .lstrip_blocks(syntax.lstrip_blocks)
        .keep_trailing_newline(syntax.keep_trailing_newline)
        .build()
}

/// The parser's complaint in our terms; Jinja's words where people know them.
fn fault(error: &minijinja::Error, source: &str, scanned: &Scanned<'_>) -> Fault {
    let end = source.len();
    let range = error.range().unwrap_or(end..end);
    let (start, end) = (scanned.original(range.start).min(end), scanned.original(range.end).min(end));
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let token = source.get(start..end).unwrap_or_default();
    let literal = ["identifier", "string", "integer", "float"]
        .iter()
        .find_map(|kind| detail.strip_prefix(&format!("unexpected {kind}, expected ")));
    let message = match (detail.strip_prefix("unknown statement "), literal) {
        (Some(tag), _) => format!("Encountered unknown tag '{tag}'."),
        (None, Some(expected)) => {
            let expected = expected.replace("end of variable block", "end of print statement");
            let expected = expected.replace("end of block", "end of statement block");
            format!("expected token '{}', got {}", expected.trim_matches('`'), Value::from(token).repr())
        }
        (None, None) => detail
            .replace('`', "'")
            .replace(", expected expression", "")
            .replace("end of variable block", "'end of print statement'")
            .replace("end of block", "'end of statement block'")
            .replace("end of input", "'end of template'")
            .replace("unexpected input after expression", "chunk after expression"),
    };
    Fault { message, span: Span { start: offset(start), end: offset(end.max(start)) } }
}

/// The special names that a macro's body reads.
#[derive(Default)]
struct Reads {
    varargs: bool,
    kwargs: bool,
    caller: bool,
}

struct Lower<'a> {
    source: &'a str,
    scanned: &'a Scanned<'a>,
    syntax: &'a Syntax,
    mode: Mode,
    /// Inside `{{ }}`.
    printing: bool,
    blocks: Vec<Arc<Block>>,
    reads: Reads,
}

type Lowered<T> = Result<T, Fault>;

impl Lower<'_> {
    fn span(&self, span: TheirSpan) -> Span {
        let to = |at: u32| offset(self.scanned.original(at as usize));
        Span { start: to(span.start_offset), end: to(span.end_offset) }
    }

    fn text(&self, span: Span) -> &str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn body(&mut self, statements: &[ast::Stmt<'_>]) -> Lowered<Vec<Stmt>> {
        statements.iter().map(|statement| self.stmt(statement)).collect()
    }

    fn stmt(&mut self, statement: &ast::Stmt<'_>) -> Lowered<Stmt> {
        Ok(match statement {
            ast::Stmt::Template(root) => Stmt::Scope(self.body(&root.children)?),
            ast::Stmt::EmitRaw(raw) => Stmt::Text(self.raw_text(raw.raw, self.span(raw.span()))),
            ast::Stmt::EmitExpr(emit) => {
                self.printing = true;
                let expr = self.expr(&emit.expr);
                self.printing = false;
                Stmt::Emit(expr?)
            }
            ast::Stmt::ForLoop(node) => Stmt::For(Arc::new(For {
                target: self.target(&node.target)?,
                items: self.expr(&node.iter)?,
                condition: self.option(node.filter_expr.as_ref())?,
                recursive: node.recursive,
                body: self.body(&node.body)?,
                otherwise: self.body(&node.else_body)?,
            })),
            ast::Stmt::IfCond(node) => self.branches(node)?,
            ast::Stmt::WithBlock(node) => Stmt::With {
                bindings: node
                    .assignments
                    .iter()
                    .map(|(target, value)| Ok((self.target(target)?, self.expr(value)?)))
                    .collect::<Lowered<_>>()?,
                body: self.body(&node.body)?,
            },
            ast::Stmt::Set(node) => {
                Stmt::Set { target: self.target(&node.target)?, value: self.expr(&node.expr)? }
            }
            // See `scan`: a block in a macro.
            ast::Stmt::SetBlock(node) if self.text(self.span(node.span())).starts_with("block") => {
                let name = self.name(&node.target)?;
                self.block(name, false, &node.body, self.span(node.span()))?
            }
            ast::Stmt::SetBlock(node) => Stmt::SetBlock {
                target: self.target(&node.target)?,
                filters: node.filter.as_ref().map_or_else(|| Ok(Vec::new()), |chain| self.chain(chain))?,
                body: self.body(&node.body)?,
            },
            ast::Stmt::AutoEscape(node) => Stmt::Scope(self.body(&node.body)?),
            ast::Stmt::FilterBlock(node) => {
                Stmt::Filter { filters: self.chain(&node.filter)?, body: self.body(&node.body)? }
            }
            ast::Stmt::Block(node) => {
                self.block(node.name.into(), node.required, &node.body, self.span(node.span()))?
            }
            ast::Stmt::Extends(node) => Stmt::Extends(self.expr(&node.name)?),
            ast::Stmt::Include(node) => Stmt::Include {
                name: self.expr(&node.name)?,
                ignore_missing: node.ignore_missing,
                with_context: self.with_context(self.span(node.span()), true),
            },
            ast::Stmt::Import(node) => Stmt::Import {
                name: self.expr(&node.expr)?,
                binding: self.name(&node.name)?,
                with_context: self.with_context(self.span(node.span()), false),
            },
            ast::Stmt::FromImport(node) => Stmt::FromImport {
                name: self.expr(&node.expr)?,
                names: node
                    .names
                    .iter()
                    .map(|(name, alias)| {
                        let name = self.name(name)?;
                        let alias =
                            alias.as_ref().map_or_else(|| Ok(Arc::clone(&name)), |alias| self.name(alias))?;
                        Ok((name, alias))
                    })
                    .collect::<Lowered<_>>()?,
                with_context: self.with_context(self.span(node.span()), false),
            },
            ast::Stmt::Macro(node) => Stmt::Macro(self.macro_of(node)?),
            ast::Stmt::CallBlock(node) => {
                let caller = self.macro_of(&node.macro_decl)?;
                Stmt::Call { call: self.call(&node.call)?, caller }
            }
            // Extensions that Ansible does not switch on.
            ast::Stmt::Continue(node) => return Err(self.unknown_tag("continue", node.span())),
            ast::Stmt::Break(node) => return Err(self.unknown_tag("break", node.span())),
            ast::Stmt::Do(node) => return Err(self.unknown_tag("do", node.span())),
        })
    }

    fn block(&mut self, name: Arc<str>, required: bool, body: &[ast::Stmt<'_>], span: Span) -> Lowered<Stmt> {
        let scoped = self.header(span).split_ascii_whitespace().any(|word| word == "scoped");
        let body = self.body(body)?;
        let block = Arc::new(Block { name, scoped, required, body, span });
        self.blocks.push(Arc::clone(&block));
        Ok(Stmt::Block(block))
    }

    fn unknown_tag(&self, tag: &str, span: TheirSpan) -> Fault {
        Fault { message: format!("Encountered unknown tag '{tag}'."), span: self.span(span) }
    }

    /// Text between tags. After `{% raw %}` minijinja trims the newline, Jinja does not.
    fn raw_text(&self, raw: &str, span: Span) -> Arc<str> {
        let start = raw.as_ptr().addr().saturating_sub(self.scanned.text.as_ptr().addr());
        let trimmed = self.scanned.original(start).saturating_sub(span.start as usize);
        let before = self.source.get(..span.start as usize).unwrap_or_default();
        let by_hand = before.strip_suffix(self.syntax.block.1.as_str()).is_some_and(|tag| tag.ends_with('-'));
        let lead = if by_hand { "" } else { self.text(span).get(..trimmed).unwrap_or_default() };
        let text = if lead.is_empty() { raw.to_owned() } else { format!("{lead}{raw}") };
        let newline = self.syntax.newline_sequence.as_str();
        if text.contains('\r') || newline != "\n" {
            text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', newline).into()
        } else {
            text.into()
        }
    }

    fn branches(&mut self, node: &ast::IfCond<'_>) -> Lowered<Stmt> {
        let mut arms = vec![(self.expr(&node.expr)?, self.body(&node.true_body)?)];
        let mut rest = node.false_body.as_slice();
        while let [ast::Stmt::IfCond(inner)] = rest {
            arms.push((self.expr(&inner.expr)?, self.body(&inner.true_body)?));
            rest = inner.false_body.as_slice();
        }
        Ok(Stmt::If { arms, otherwise: self.body(rest)? })
    }

    /// The inside of the tag that opens a statement.
    fn header(&self, span: Span) -> &str {
        let text = self.text(span);
        text.split_once(self.syntax.block.1.as_str()).map_or(text, |(header, _)| header)
    }

    fn with_context(&self, span: Span, default: bool) -> bool {
        let words: Vec<&str> = self.header(span).split_ascii_whitespace().collect();
        words
            .windows(2)
            .find_map(|pair| match pair {
                ["with", "context"] => Some(true),
                ["without", "context"] => Some(false),
                _ => None,
            })
            .unwrap_or(default)
    }

    fn name(&self, node: &ast::Expr<'_>) -> Lowered<Arc<str>> {
        match node {
            ast::Expr::Var(var) => Ok(var.id.into()),
            other => Err(Fault { message: "expected a name".to_owned(), span: self.span(other.span()) }),
        }
    }

    fn target(&mut self, node: &ast::Expr<'_>) -> Lowered<Target> {
        Ok(match node {
            ast::Expr::Var(var) => Target::Name(var.id.into()),
            ast::Expr::GetAttr(attr) => {
                Target::Attr(self.expr(&attr.expr)?, attr.name.into(), self.span(attr.span()))
            }
            ast::Expr::List(list) => Target::Tuple(
                list.items.iter().map(|item| self.target(item)).collect::<Lowered<_>>()?,
                self.span(list.span()),
            ),
            other => {
                return Err(Fault {
                    message: "cannot assign to this".to_owned(),
                    span: self.span(other.span()),
                });
            }
        })
    }

    fn macro_of(&mut self, node: &ast::Macro<'_>) -> Lowered<Arc<Macro>> {
        let outer = std::mem::take(&mut self.reads);
        let required = node.args.len().saturating_sub(node.defaults.len());
        let mut params = Vec::with_capacity(node.args.len());
        for (place, param) in node.args.iter().enumerate() {
            let default = place.checked_sub(required).and_then(|place| node.defaults.get(place));
            params.push((self.name(param)?, self.option(default)?));
        }
        let body = self.body(&node.body)?;
        let reads = std::mem::replace(&mut self.reads, outer);
        Ok(Arc::new(Macro {
            name: node.name.into(),
            params,
            body,
            reads_varargs: reads.varargs,
            reads_kwargs: reads.kwargs,
            reads_caller: reads.caller,
        }))
    }

    /// `a | b(c)` without a subject, from the first to the last.
    fn chain(&mut self, node: &ast::Expr<'_>) -> Lowered<Vec<Apply>> {
        let mut links = Vec::new();
        let mut rest = Some(node);
        while let Some(ast::Expr::Filter(filter)) = rest {
            links.push(Apply {
                name: filter.name.into(),
                args: self.args(&filter.args)?,
                span: self.span(filter.span()),
            });
            rest = filter.expr.as_ref();
        }
        links.reverse();
        Ok(links)
    }

    fn option(&mut self, node: Option<&ast::Expr<'_>>) -> Lowered<Option<Expr>> {
        node.map(|node| self.expr(node)).transpose()
    }

    fn boxed(&mut self, node: &ast::Expr<'_>) -> Lowered<Box<Expr>> {
        self.expr(node).map(Box::new)
    }

    fn exprs(&mut self, nodes: &[ast::Expr<'_>]) -> Lowered<Vec<Expr>> {
        nodes.iter().map(|node| self.expr(node)).collect()
    }

    fn expr(&mut self, node: &ast::Expr<'_>) -> Lowered<Expr> {
        let span = self.span(node.span());
        let kind = match node {
            ast::Expr::Var(var) => {
                match var.id {
                    "varargs" => self.reads.varargs = true,
                    "kwargs" => self.reads.kwargs = true,
                    "caller" => self.reads.caller = true,
                    _ => {}
                }
                Kind::Name(var.id.into())
            }
            ast::Expr::Const(_) => return self.constant(span),
            ast::Expr::Slice(slice) => Kind::Slice(Box::new(Slice {
                subject: self.expr(&slice.expr)?,
                start: self.option(slice.start.as_ref())?,
                stop: self.option(slice.stop.as_ref())?,
                step: self.option(slice.step.as_ref())?,
            })),
            ast::Expr::UnaryOp(unary) => match unary.op {
                ast::UnaryOpKind::Not => Kind::Not(self.boxed(&unary.expr)?),
                ast::UnaryOpKind::Neg if self.text(span).starts_with('+') => {
                    Kind::Plus(self.boxed(&unary.expr)?)
                }
                ast::UnaryOpKind::Neg => Kind::Negate(self.boxed(&unary.expr)?),
            },
            ast::Expr::BinOp(binary) => self.binary(binary)?,
            ast::Expr::Compare(compare) => Kind::Compare(
                self.boxed(&compare.expr)?,
                compare
                    .ops
                    .iter()
                    .map(|operand| Ok((comparison(operand.op), self.expr(&operand.expr)?)))
                    .collect::<Lowered<_>>()?,
            ),
            ast::Expr::IfExpr(choice) => Kind::If(Box::new(Choice {
                test: self.expr(&choice.test_expr)?,
                yes: self.expr(&choice.true_expr)?,
                no: self.option(choice.false_expr.as_ref())?,
            })),
            ast::Expr::Filter(filter) => {
                let Some(subject) = &filter.expr else {
                    return Err(Fault { message: "a filter needs a subject".to_owned(), span });
                };
                let args = self.args(&filter.args)?;
                Kind::Filter(self.boxed(subject)?, Box::new(Apply { name: filter.name.into(), args, span }))
            }
            ast::Expr::Test(test) => {
                let args = self.args(&test.args)?;
                Kind::Test(self.boxed(&test.expr)?, Box::new(Apply { name: test.name.into(), args, span }))
            }
            ast::Expr::GetAttr(attr) => Kind::Attr(self.boxed(&attr.expr)?, attr.name.into()),
            ast::Expr::GetItem(item) => {
                Kind::Item(self.boxed(&item.expr)?, self.boxed(&item.subscript_expr)?)
            }
            ast::Expr::Call(call) => return self.call(call),
            ast::Expr::List(list) => Kind::List(self.exprs(&list.items)?),
            ast::Expr::Tuple(tuple) => Kind::Tuple(self.exprs(&tuple.items)?),
            ast::Expr::Map(map) => Kind::Dict(
                map.keys
                    .iter()
                    .zip(&map.values)
                    .map(|(key, value)| Ok((self.expr(key)?, self.expr(value)?)))
                    .collect::<Lowered<_>>()?,
            ),
        };
        Ok(Expr { span, kind })
    }

    fn call(&mut self, call: &ast::Spanned<ast::Call<'_>>) -> Lowered<Expr> {
        let span = self.span(call.span());
        let callee = self.boxed(&call.expr)?;
        let looks_up =
            matches!(&callee.kind, Kind::Name(name) if matches!(&**name, "lookup" | "query" | "q"));
        let outer = self.mode;
        // The constants among a lookup's arguments may be templates themselves.
        let args = if looks_up { self.lookup_args(&call.args)? } else { self.args(&call.args)? };
        self.mode = outer;
        Ok(Expr { span, kind: Kind::Call(callee, args) })
    }

    fn lookup_args(&mut self, args: &[ast::CallArg<'_>]) -> Lowered<Vec<Arg>> {
        let mut args = self.args(args)?;
        for arg in &mut args {
            let (Arg::Positional(expr) | Arg::Named(_, expr) | Arg::Items(expr) | Arg::Entries(expr)) = arg;
            if let Kind::Const(Value::Str(text)) = &expr.kind
                && Template::is_template(text)
            {
                expr.kind = Kind::Nested(Arc::new(Template::new(Arc::clone(text), None)));
            }
        }
        Ok(args)
    }

    fn args(&mut self, args: &[ast::CallArg<'_>]) -> Lowered<Vec<Arg>> {
        args.iter()
            .map(|arg| {
                Ok(match arg {
                    ast::CallArg::Pos(expr) => Arg::Positional(self.expr(expr)?),
                    ast::CallArg::Kwarg(name, expr) => Arg::Named((*name).into(), self.expr(expr)?),
                    ast::CallArg::PosSplat(expr) => Arg::Items(self.expr(expr)?),
                    ast::CallArg::KwargSplat(expr) => Arg::Entries(self.expr(expr)?),
                })
            })
            .collect()
    }

    /// The parser nests to the left; long rows are laid flat so that nothing recurses over them.
    fn binary(&mut self, node: &ast::BinOp<'_>) -> Lowered<Kind> {
        let logic = matches!(node.op, ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr);
        if !logic && let Some(comparison) = comparison_of(node.op) {
            return Ok(Kind::Compare(self.boxed(&node.left)?, vec![(comparison, self.expr(&node.right)?)]));
        }
        let mut operands = vec![(node.op, &node.right)];
        let mut first = &node.left;
        while let ast::Expr::BinOp(inner) = first
            && (if logic {
                is_and(inner.op) == is_and(node.op)
                    && comparison_of(inner.op).is_none()
                    && arithmetic(inner.op).is_none()
            } else {
                arithmetic(inner.op).is_some()
            })
        {
            operands.push((inner.op, &inner.right));
            first = &inner.left;
        }
        operands.reverse();
        if logic {
            let mut parts = vec![self.expr(first)?];
            for (_, operand) in operands {
                parts.push(self.expr(operand)?);
            }
            return Ok(if matches!(node.op, ast::BinOpKind::ScAnd) {
                Kind::And(parts)
            } else {
                Kind::Or(parts)
            });
        }
        let first = self.boxed(first)?;
        let rest = operands
            .into_iter()
            .filter_map(|(op, operand)| Some((arithmetic(op)?, operand)))
            .map(|(operator, operand)| Ok((operator, self.expr(operand)?)))
            .collect::<Lowered<_>>()?;
        Ok(Kind::Binary(first, rest))
    }

    /// A constant, read from the source: the parser has seen only a stand-in.
    fn constant(&mut self, span: Span) -> Lowered<Expr> {
        let text = self.text(span);
        let value = match text.as_bytes().first() {
            Some(b'\'' | b'"') => self.strings(text, span)?,
            Some(b'0'..=b'9') => match literal::number(text) {
                Some(Value::Float(number)) if number.is_infinite() => {
                    return Err(Fault { message: format!("the number {text} is too large"), span });
                }
                Some(number) => number,
                None => return Err(Fault { message: format!("invalid number {text}"), span }),
            },
            _ => match text {
                "true" | "True" => Value::Bool(true),
                "false" | "False" => Value::Bool(false),
                _ => Value::None,
            },
        };
        if self.mode == Mode::Expression
            && let Value::Str(text) = &value
            && Template::is_template(text)
        {
            return Ok(Expr { span, kind: Kind::Nested(Arc::new(Template::new(Arc::clone(text), None))) });
        }
        Ok(Expr { span, kind: Kind::Const(value) })
    }

    /// One string, or several in a row, which are one.
    fn strings(&self, text: &str, span: Span) -> Lowered<Value> {
        let verbatim = self.mode == Mode::Value && self.printing;
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(quote) = rest.chars().next() {
            let inside = rest.get(1..).unwrap_or_default();
            let mut escaped = false;
            let end = inside.find(|c| {
                let closes = c == quote && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            });
            let (content, after) = inside.split_at(end.unwrap_or(inside.len()));
            if verbatim {
                out.push_str(&content.replace("\r\n", "\n").replace('\r', "\n"));
            } else {
                let content = literal::unescape(&content.replace("\r\n", "\n").replace('\r', "\n"))
                    .map_err(|error| Fault { message: error.message().to_owned(), span })?;
                out.push_str(&content);
            }
            rest = after.get(1..).unwrap_or_default().trim_start();
        }
        Ok(Value::from(out))
    }
}

fn is_and(op: ast::BinOpKind) -> bool {
    matches!(op, ast::BinOpKind::ScAnd)
}

fn arithmetic(op: ast::BinOpKind) -> Option<Operator> {
    Some(match op {
        ast::BinOpKind::Add => Operator::Add,
        ast::BinOpKind::Sub => Operator::Sub,
        ast::BinOpKind::Mul => Operator::Mul,
        ast::BinOpKind::Div => Operator::Div,
        ast::BinOpKind::FloorDiv => Operator::FloorDiv,
        ast::BinOpKind::Rem => Operator::Rem,
        ast::BinOpKind::Pow => Operator::Pow,
        ast::BinOpKind::Concat => Operator::Concat,
        _ => return None,
    })
}

fn comparison_of(op: ast::BinOpKind) -> Option<Comparison> {
    Some(match op {
        ast::BinOpKind::Eq => Comparison::Eq,
        ast::BinOpKind::Ne => Comparison::Ne,
        ast::BinOpKind::Lt => Comparison::Lt,
        ast::BinOpKind::Lte => Comparison::Le,
        ast::BinOpKind::Gt => Comparison::Gt,
        ast::BinOpKind::Gte => Comparison::Ge,
        ast::BinOpKind::In => Comparison::In,
        _ => return None,
    })
}

fn comparison(op: ast::CompareOpKind) -> Comparison {
    match op {
        ast::CompareOpKind::Eq => Comparison::Eq,
        ast::CompareOpKind::Ne => Comparison::Ne,
        ast::CompareOpKind::Lt => Comparison::Lt,
        ast::CompareOpKind::Lte => Comparison::Le,
        ast::CompareOpKind::Gt => Comparison::Gt,
        ast::CompareOpKind::Gte => Comparison::Ge,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}
