//! Tokens to an expression.

use super::functions::Function;
use super::lex::{Token, tokens};
use super::{Axis, Expr, Namespaces, Operator, Path, Step, Test};
use crate::xml::names::XML_URI;
use crate::xml::tree::Name;

/// How deep expressions may be nested.
const DEPTH: usize = 64;

/// Operators by how they bind, the loosest first.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[("or", Operator::Or)],
    &[("and", Operator::And)],
    &[("=", Operator::Equal), ("!=", Operator::NotEqual)],
    &[
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("div", Operator::Divide), ("mod", Operator::Modulo)],
];

pub fn parse(text: &str, namespaces: &Namespaces) -> Result<Expr, String> {
    let mut tokens = tokens(text)?;
    tokens.reverse();
    let mut parser = Parser { tokens, namespaces, depth: 0 };
    let expr = parser.expression()?;
    match parser.tokens.last() {
        None => Ok(expr),
        Some(token) => Err(format!("{} has no place here", shown(Some(token)))),
    }
}

fn shown(token: Option<&Token>) -> String {
    match token {
        None => "the end".to_owned(),
        Some(Token::Mark(mark)) => (*mark).to_owned(),
        Some(Token::Name(prefix, name)) => crate::xml::read::written(prefix, name),
        Some(Token::Star(prefix)) => crate::xml::read::written(prefix, "*"),
        Some(Token::Literal(text)) => format!("'{text}'"),
        Some(Token::Number(number)) => number.to_string(),
    }
}

struct Parser<'a> {
    /// The next one last.
    tokens: Vec<Token>,
    namespaces: &'a Namespaces,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.last()
    }

    /// The token behind the next.
    fn peek_behind(&self) -> Option<&Token> {
        self.tokens.get(self.tokens.len().checked_sub(2)?)
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.peek(), Some(Token::Mark(next)) if *next == mark)
    }

    fn take(&mut self, mark: &str) -> bool {
        let is = self.is(mark);
        if is {
            self.tokens.pop();
        }
        is
    }

    fn need(&mut self, mark: &str) -> Result<(), String> {
        if self.take(mark) {
            Ok(())
        } else {
            Err(format!("{mark} is expected before {}", shown(self.peek())))
        }
    }

    fn expression(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        let expr = self.binary(LEVELS);
        self.depth -= 1;
        expr
    }

    fn binary(&mut self, levels: &[&[(&str, Operator)]]) -> Result<Expr, String> {
        let Some((level, tighter)) = levels.split_first() else { return self.unary() };
        let mut expr = self.binary(tighter)?;
        let mut length = 0;
        while let Some((_, operator)) = level.iter().find(|(mark, _)| self.take(mark)) {
            length += 1;
            if length > 10 * DEPTH {
                return Err("it is too long".to_owned());
            }
            let right = self.binary(tighter)?;
            expr = Expr::Binary(*operator, Box::new(expr), Box::new(right));
        }
        Ok(expr)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        let mut signs = 0;
        while self.take("-") {
            signs += 1;
        }
        let mut expr = self.path()?;
        while self.take("|") {
            let right = self.path()?;
            expr = Expr::Binary(Operator::Union, Box::new(expr), Box::new(right));
        }
        // Two of them make a number of it.
        for _ in 0..if signs == 0 { 0 } else { 2 - signs % 2 } {
            expr = Expr::Negate(Box::new(expr));
        }
        Ok(expr)
    }

    fn path(&mut self) -> Result<Expr, String> {
        let primary = match self.peek() {
            Some(Token::Mark("(")) => {
                self.take("(");
                let expr = self.expression()?;
                self.need(")")?;
                Some(expr)
            }
            Some(Token::Literal(text)) => {
                Some(Expr::Literal(text.clone())).inspect(|_| drop(self.tokens.pop()))
            }
            Some(Token::Number(number)) => Some(Expr::Number(*number)).inspect(|_| drop(self.tokens.pop())),
            Some(Token::Name(prefix, name)) if self.calls() && !is_node_type(prefix, name) => {
                Some(self.call()?)
            }
            _ => None,
        };
        let Some(primary) = primary else { return Ok(Expr::Path(self.location()?)) };
        let predicates = self.predicates()?;
        let mut steps = Vec::new();
        if self.is("/") || self.is("//") {
            self.steps(&mut steps)?;
        }
        if predicates.is_empty() && steps.is_empty() {
            return Ok(primary);
        }
        Ok(Expr::Filter(Box::new(primary), predicates, steps))
    }

    fn calls(&self) -> bool {
        matches!(self.peek_behind(), Some(Token::Mark("(")))
    }

    fn call(&mut self) -> Result<Expr, String> {
        let Some(Token::Name(prefix, name)) = self.tokens.pop() else {
            return Err("a function is expected".to_owned());
        };
        let shown = crate::xml::read::written(&prefix, &name);
        let function = Function::named(&name).filter(|_| prefix.is_empty());
        let function = function.ok_or_else(|| format!("the function {shown}() is not supported"))?;
        self.need("(")?;
        let mut args = Vec::new();
        if !self.take(")") {
            loop {
                args.push(self.expression()?);
                if !self.take(",") {
                    break;
                }
            }
            self.need(")")?;
        }
        if !function.arity().contains(&args.len()) {
            return Err(format!("{shown}() does not take {} arguments", args.len()));
        }
        Ok(Expr::Call(function, args))
    }

    fn location(&mut self) -> Result<Path, String> {
        let mut path = Path::default();
        if self.is("/") || self.is("//") {
            path.absolute = true;
            if self.is("/") && !self.steps_follow() {
                self.take("/");
                return Ok(path);
            }
        } else {
            path.steps.push(self.step()?);
        }
        self.steps(&mut path.steps)?;
        Ok(path)
    }

    /// Whether a step stands behind the next token.
    fn steps_follow(&self) -> bool {
        match self.peek_behind() {
            Some(Token::Name(..) | Token::Star(_)) => true,
            Some(Token::Mark(mark)) => matches!(*mark, "." | ".." | "@"),
            _ => false,
        }
    }

    /// `/step//step`, for as long as there are any.
    fn steps(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        loop {
            if self.take("//") {
                steps.push(Step {
                    axis: Axis::DescendantOrSelf,
                    test: Test::AnyNode,
                    predicates: Vec::new(),
                });
            } else if !self.take("/") {
                return Ok(());
            }
            steps.push(self.step()?);
        }
    }

    fn step(&mut self) -> Result<Step, String> {
        for (mark, axis) in [(".", Axis::Itself), ("..", Axis::Parent)] {
            if self.take(mark) {
                return Ok(Step { axis, test: Test::AnyNode, predicates: Vec::new() });
            }
        }
        let mut axis = Axis::Child;
        if self.take("@") {
            axis = Axis::Attribute;
        } else if matches!(self.peek_behind(), Some(Token::Mark("::"))) {
            let name = shown(self.tokens.pop().as_ref());
            axis = Axis::named(&name).ok_or_else(|| format!("the axis {name} is not supported"))?;
            self.need("::")?;
        }
        let test = self.test()?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn test(&mut self) -> Result<Test, String> {
        let calls = self.calls();
        match self.tokens.pop() {
            Some(Token::Star(prefix)) if prefix.is_empty() => Ok(Test::AnyName(None)),
            Some(Token::Star(prefix)) => Ok(Test::AnyName(Some(self.uri(&prefix)?))),
            Some(Token::Name(prefix, local)) if !calls => {
                let uri = if prefix.is_empty() { String::new() } else { self.uri(&prefix)? };
                Ok(Test::Name(Name { prefix: String::new(), uri, local }))
            }
            Some(Token::Name(prefix, name)) if is_node_type(&prefix, &name) => {
                self.need("(")?;
                let target = match self.peek() {
                    Some(Token::Literal(target)) if name == "processing-instruction" => Some(target.clone()),
                    _ => None,
                };
                if target.is_some() {
                    self.tokens.pop();
                }
                self.need(")")?;
                Ok(match name.as_str() {
                    "text" => Test::Text,
                    "comment" => Test::Comment,
                    "node" => Test::AnyNode,
                    _ => Test::Instruction(target),
                })
            }
            other => Err(format!("a step is expected before {}", shown(other.as_ref()))),
        }
    }

    fn uri(&self, prefix: &str) -> Result<String, String> {
        let known = self.namespaces.get(prefix).map(String::as_str);
        let known = known.or((prefix == "xml").then_some(XML_URI));
        known
            .map(str::to_owned)
            .ok_or_else(|| format!("the namespace prefix {prefix} is not defined: name it in `namespaces`"))
    }

    fn predicates(&mut self) -> Result<Vec<Expr>, String> {
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.expression()?);
            self.need("]")?;
        }
        Ok(predicates)
    }
}

fn is_node_type(prefix: &str, name: &str) -> bool {
    prefix.is_empty() && matches!(name, "comment" | "text" | "processing-instruction" | "node")
}
