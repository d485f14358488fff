//! The fields of a record: where each comes from, in the tree of the record that they make, so that it is written in one pass.

use std::cell::Cell;
use std::collections::BTreeMap;

use renmen_plugin::Unfit;
use serde_json::Value;

use crate::answer::{Node, Wanted};
use crate::condition::Condition;
use crate::faults::Faults;
use crate::form::{Form, write_text};
use crate::language::{SourceOf, SourceTable};
use crate::pointer::Pointer;
use crate::template::{Scope, Template};

/// What a record, or an entry of a list in it, is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    root: Branch,
}

/// An object, a list or a value on the way.
#[derive(Debug, Clone, Default)]
struct Branch {
    /// Members by name; of a list by number.
    below: Vec<(String, Branch)>,
    leaf: Option<Leaf>,
}

#[derive(Debug, Clone)]
enum Leaf {
    Constant(Value),
    Source(Box<Source>),
}

#[derive(Debug, Clone, Default)]
struct Source {
    place: Place,
    when: Condition,
    form: Form,
    required: bool,
    blank: Vec<String>,
    default: Option<Value>,
    /// How often something stood there.
    met: Cell<u32>,
}

#[derive(Debug, Clone)]
enum Place {
    /// The first of these that has something; then, in the JSON that is in that text, here.
    At(Vec<Pointer>, Option<Pointer>),
    Text(Template),
    Constant(Value),
    Each(Pointer, Fields),
    /// The first of these that has something.
    First(Vec<Source>),
}

impl Default for Place {
    fn default() -> Self {
        Self::Constant(Value::Null)
    }
}

/// One field for lineage: canonical pointer, vendor pointers, what is done.
#[cfg(feature = "author")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) to: String,
    pub(crate) from: Vec<String>,
    pub(crate) transform: Option<String>,
}

impl Fields {
    /// Reads the tables `fields` and `set`.
    pub(crate) fn of(
        fields: &BTreeMap<String, SourceOf>,
        set: &BTreeMap<String, Value>,
        maps: &BTreeMap<String, serde_json::Map<String, Value>>,
        faults: &mut Faults,
    ) -> Self {
        let mut root = Branch::default();
        faults.within("set", |faults| {
            for (to, value) in set {
                faults.within(to, |faults| root.put(to, Leaf::Constant(value.clone()), faults));
            }
        });
        faults.within("fields", |faults| {
            for (to, source) in fields {
                faults.within(to, |faults| {
                    let source = Source::of(source, maps, faults);
                    root.put(to, Leaf::Source(Box::new(source)), faults);
                });
            }
        });
        Self { root }
    }

    /// Notes what of the item is needed.
    pub(crate) fn want(&self, item: &mut Wanted) {
        self.root.want(item);
    }

    /// Writes the object. Something of the source must be in it, or it is not written: then the answer is false.
    pub(crate) fn write(&self, item: &Node<'_>, scope: &Scope, out: &mut Vec<u8>) -> Result<bool, Unfit> {
        self.root.write(item, scope, out, true)
    }

    /// Where the fields come from.
    #[cfg(feature = "author")]
    pub(crate) fn origins(&self) -> Vec<Origin> {
        let mut origins = Vec::new();
        self.root.origins("", "", &mut origins);
        origins
    }

    /// The pointers that never met anything, of items that were read.
    pub(crate) fn strangers(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.root.strangers(&mut found);
        found
    }
}

impl Branch {
    fn put(&mut self, to: &str, leaf: Leaf, faults: &mut Faults) {
        let Some(path) = to.strip_prefix('/') else {
            return faults.add(format!(
                "`{to}` is not a pointer into the record: it begins with `/`, as /person/names/formatted"
            ));
        };
        let mut at = self;
        for name in path.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")) {
            if at.leaf.is_some() {
                return faults.add(format!("`{to}` leads into a value that another key writes"));
            }
            let index = at.below.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                at.below.push((name, Self::default()));
                at.below.len() - 1
            });
            at = &mut at.below[index].1;
        }
        if at.leaf.is_some() || !at.below.is_empty() {
            return faults.add(format!("two values for `{to}`"));
        }
        at.leaf = Some(leaf);
    }

    fn want(&self, item: &mut Wanted) {
        if let Some(Leaf::Source(source)) = &self.leaf {
            source.want(item);
        }
        self.below.iter().for_each(|(_, branch)| branch.want(item));
    }

    fn is_list(&self) -> bool {
        !self.below.is_empty() && self.below.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Did something of the source come into it? What holds constants alone is taken back, except right in the record.
    fn write(&self, item: &Node<'_>, scope: &Scope, out: &mut Vec<u8>, top: bool) -> Result<bool, Unfit> {
        let (start, list) = (out.len(), self.is_list());
        let (mut of_source, mut count) = (false, 0);
        out.push(if list { b'[' } else { b'{' });
        for (name, branch) in &self.below {
            let before = out.len();
            if count > 0 {
                out.push(b',');
            }
            if !list {
                write_text(name, out);
                out.push(b':');
            }
            let written = match &branch.leaf {
                None => branch.write(item, scope, out, false)?,
                Some(Leaf::Source(source)) => source.write(name, item, scope, out)?,
                Some(Leaf::Constant(value)) => {
                    serde_json::to_writer(&mut *out, value)?;
                    count += 1;
                    continue;
                }
            };
            of_source |= written;
            if written {
                count += 1;
            } else {
                out.truncate(before);
            }
        }
        out.push(if list { b']' } else { b'}' });
        if !of_source && !top {
            out.truncate(start);
        }
        Ok(of_source)
    }

    #[cfg(feature = "author")]
    fn origins(&self, to: &str, base: &str, origins: &mut Vec<Origin>) {
        if let Some(Leaf::Source(source)) = &self.leaf {
            source.origins(to, base, origins);
        }
        for (name, branch) in &self.below {
            let name = name.replace('~', "~0").replace('/', "~1");
            branch.origins(&format!("{to}/{name}"), base, origins);
        }
    }

    fn strangers<'s>(&'s self, found: &mut Vec<&'s str>) {
        if let Some(Leaf::Source(source)) = &self.leaf
            && let Place::At(pointers, _) = &source.place
            && source.met.get() == 0
        {
            found.extend(pointers.first().map(Pointer::text));
        }
        self.below.iter().for_each(|(_, branch)| branch.strangers(found));
    }
}

impl Source {
    fn of(source: &SourceOf, maps: &BTreeMap<String, serde_json::Map<String, Value>>, faults: &mut Faults) -> Self {
        let table = match source {
            SourceOf::One(table) => table.as_ref(),
            SourceOf::First(sources) => {
                let each = |(number, source): (usize, &SourceOf)| {
                    faults.within(number.to_string(), |faults| Self::of(source, maps, faults))
                };
                let sources: Vec<Self> = sources.iter().enumerate().map(each).collect();
                return Self { place: Place::First(sources), ..Self::default() };
            }
        };
        let place = Place::of(table, maps, faults);
        let table = with_map(table, maps, faults);
        let form = match &place {
            Place::Each(..) | Place::Constant(_) => Form::default(),
            _ => Form::parse(&table).unwrap_or_else(|message| {
                faults.add(message);
                Form::default()
            }),
        };
        Self {
            place,
            when: faults.take("when", Condition::parse(&table.when)),
            form,
            required: table.required,
            blank: table.blank.clone(),
            default: table.default.clone(),
            met: Cell::new(0),
        }
    }

    fn want(&self, item: &mut Wanted) {
        self.when.want(item);
        if let Some(currency) = self.form.currency() {
            currency.want(item).all();
        }
        match &self.place {
            Place::At(pointers, _) => pointers.iter().for_each(|pointer| pointer.want(item).all()),
            Place::Text(template) => template.want(item),
            Place::Constant(_) => {}
            Place::Each(list, fields) => fields.want(list.want(item).item()),
            Place::First(sources) => sources.iter().for_each(|source| source.want(item)),
        }
    }

    /// Was there something to write?
    fn write(&self, name: &str, item: &Node<'_>, scope: &Scope, out: &mut Vec<u8>) -> Result<bool, Unfit> {
        match &self.place {
            Place::Each(list, fields) => return self.write_list(list, fields, item, scope, out),
            Place::First(sources) => return self.write_first(sources, name, item, scope, out),
            _ => {}
        }
        let written = if self.when.holds(item, scope) { self.write_value(item, scope, out)? } else { false };
        if written {
            return Ok(true);
        }
        if let Some(default) = &self.default {
            serde_json::to_writer(&mut *out, default)?;
            return Ok(true);
        }
        match self.required {
            false => Ok(false),
            true => Err(Unfit::field(&self.place.name(), format!("nothing; expected a value for `{name}`"))),
        }
    }

    fn write_value(&self, item: &Node<'_>, scope: &Scope, out: &mut Vec<u8>) -> Result<bool, Unfit> {
        let unfit = |name: &str, problem: String| Unfit::field(name, problem);
        match &self.place {
            Place::At(pointers, inner) => {
                let found = pointers.iter().find_map(|pointer| Some((pointer, pointer.filled(item)?)));
                let Some((pointer, node)) = found.filter(|(_, node)| !self.is_blank(node)) else { return Ok(false) };
                self.met.set(self.met.get().saturating_add(1));
                let Some(inner) = inner else {
                    self.form.write(node, item, out).map_err(|why| unfit(pointer.text(), why))?;
                    return Ok(true);
                };
                let Node::Text(text) = node else {
                    return Err(unfit(pointer.text(), format!("{}; expected JSON in a text", node.kind())));
                };
                let value: Value = serde_json::from_str(text)
                    .map_err(|_| unfit(pointer.text(), "a text that is not JSON".to_owned()))?;
                let tree = Node::from(&value);
                let Some(node) = inner.filled(&tree).filter(|node| !self.is_blank(node)) else { return Ok(false) };
                self.form.write(node, item, out).map_err(|why| unfit(pointer.text(), why))?;
                Ok(true)
            }
            Place::Text(template) => {
                let text = template.text_of_item(scope, item).map_err(|why| unfit("text", why))?;
                let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(false) };
                let node = Node::Text(text.into());
                if self.is_blank(&node) {
                    return Ok(false);
                }
                self.form.write(&node, item, out).map_err(|why| unfit("text", why))?;
                Ok(true)
            }
            Place::Constant(value) => {
                serde_json::to_writer(&mut *out, value)?;
                Ok(true)
            }
            Place::Each(..) | Place::First(_) => Ok(false),
        }
    }

    fn write_first(
        &self,
        sources: &[Self],
        name: &str,
        item: &Node<'_>,
        scope: &Scope,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unfit> {
        for source in sources {
            let before = out.len();
            if source.write(name, item, scope, out)? {
                return Ok(true);
            }
            out.truncate(before);
        }
        match self.required {
            false => Ok(false),
            true => Err(Unfit::field(&self.place.name(), format!("nothing; expected a value for `{name}`"))),
        }
    }

    fn is_blank(&self, node: &Node<'_>) -> bool {
        !self.blank.is_empty() && node.scalar().is_some_and(|text| self.blank.iter().any(|blank| *blank == text.trim()))
    }

    fn write_list(
        &self,
        list: &Pointer,
        fields: &Fields,
        item: &Node<'_>,
        scope: &Scope,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unfit> {
        let entries = match list.find(item) {
            None | Some(Node::Null) => &[][..],
            Some(Node::List(entries)) => entries,
            Some(other) => return Err(Unfit::field(list.text(), format!("{}; expected a list", other.kind()))),
        };
        let mut any = false;
        out.push(b'[');
        for entry in entries.iter().filter(|entry| self.when.holds(entry, scope)) {
            let before = out.len();
            if any {
                out.push(b',');
            }
            if fields.root.write(entry, scope, out, false).map_err(|unfit| Unfit::field(list.text(), unfit.reason))? {
                any = true;
            } else {
                out.truncate(before);
            }
        }
        out.push(b']');
        match any || !self.required {
            true => Ok(any),
            false => Err(Unfit::field(list.text(), "an empty list; expected at least one entry")),
        }
    }

    #[cfg(feature = "author")]
    fn origins(&self, to: &str, base: &str, origins: &mut Vec<Origin>) {
        let full = |pointer: &Pointer| format!("{base}{}", pointer.text());
        let transform = self.form.transform();
        match &self.place {
            Place::At(pointers, inner) => {
                let inside = inner.as_ref().map(|inner| format!("JSON in a text, {}", inner.text()));
                let transform = [inside, transform].into_iter().flatten().collect::<Vec<_>>().join("; ");
                let transform = Some(transform).filter(|text| !text.is_empty());
                origins.push(Origin { to: to.to_owned(), from: pointers.iter().map(full).collect(), transform });
            }
            Place::Text(template) => {
                let own = template.places().filter(|place| place.root.is_none());
                let from: Vec<String> = own.map(|place| full(&place.pointer)).collect();
                let others = template.places().filter_map(|place| place.root.as_deref()).collect::<Vec<_>>();
                let mut said = vec!["put together".to_owned()];
                if !others.is_empty() {
                    said.push(format!("with {}", others.join(", ")));
                }
                said.extend(transform);
                let from = if from.is_empty() { vec!["/".to_owned()] } else { from };
                origins.push(Origin { to: to.to_owned(), from, transform: Some(said.join("; ")) });
            }
            Place::Constant(_) => {}
            Place::First(sources) => sources.iter().for_each(|source| source.origins(to, base, origins)),
            Place::Each(list, fields) => {
                fields.root.origins(&format!("{to}/*"), &format!("{}/*", full(list)), origins);
            }
        }
    }
}

impl Place {
    fn of(table: &SourceTable, maps: &BTreeMap<String, serde_json::Map<String, Value>>, faults: &mut Faults) -> Self {
        match (&table.from, &table.text, &table.each, &table.value) {
            (Some(from), None, None, None) => {
                let pointers = from.0.iter().map(|from| faults.take("from", Pointer::parse(from))).collect();
                Self::At(pointers, faults.take_some("json", table.json.as_ref(), Pointer::parse))
            }
            (None, Some(text), None, None) => Self::Text(faults.take("text", Template::parse(text))),
            (None, None, None, Some(value)) => Self::Constant(value.clone()),
            (None, None, Some(each), None) => {
                let list = faults.take("each", Pointer::parse(each));
                if table.form.is_some() {
                    faults.add("`as` does not belong to a list: each field of its entries has its own");
                }
                if table.fields.is_none() {
                    faults.add("`each` needs `fields`: what an entry is made of");
                }
                let (fields, set) = (table.fields.clone().unwrap_or_default(), table.set.clone().unwrap_or_default());
                Self::Each(list, Fields::of(&fields, &set, maps, faults))
            }
            _ => {
                faults.add("expected exactly one of `from`, `text`, `value` and `each`");
                Self::At(Vec::new(), None)
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Self::At(pointers, _) => pointers.iter().map(Pointer::text).collect::<Vec<_>>().join(" or "),
            Self::Text(_) => "text".to_owned(),
            Self::Constant(_) => "value".to_owned(),
            Self::Each(list, _) => list.text().to_owned(),
            Self::First(sources) => sources.iter().map(|source| source.place.name()).collect::<Vec<_>>().join(" or "),
        }
    }
}

/// The table with the map that it names in its place.
fn with_map(
    table: &SourceTable,
    maps: &BTreeMap<String, serde_json::Map<String, Value>>,
    faults: &mut Faults,
) -> SourceTable {
    let Some(Value::String(name)) = &table.map else { return table.clone() };
    let names: Vec<&String> = maps.keys().collect();
    faults.take("map", crate::nearest::known(name, &names, "map"));
    SourceTable { map: maps.get(name).map(|map| Value::Object(map.clone())), ..table.clone() }
}
