//! Elements that follow signals.
//!
//! A few functions over the browser's own objects, each compiled once: typed templates are compiled anew for every
//! element and closure, and people wait for all of that before they see the lobby.

use std::{borrow::Cow, cell::RefCell};

use crate::signals::{Effect, Get, Memo, Owner, RenderEffect, on_cleanup};
use js_sys::Reflect;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Document, Element, Event, Node};

/// One element, or a fragment of several nodes; it is built by handing it on from method to method.
#[derive(Clone)]
pub(crate) struct View(Node);

/// A text: most are written in the program, some are made.
type Words = Cow<'static, str>;

/// An element with classes, which may be none.
pub(crate) fn el(tag: &str, class: &str) -> View {
    let element = document().create_element(tag).expect("tags here are names");
    if !class.is_empty() {
        element.set_class_name(class);
    }
    View(element.into())
}

/// A button that sends no form.
pub(crate) fn button(class: &str) -> View {
    el("button", class).attr("type", "button")
}

/// A drawing on the 24-unit grid; `shape` is its markup.
pub(crate) fn drawing(class: &str, shape: &str) -> View {
    let element = document()
        .create_element_ns(Some("http://www.w3.org/2000/svg"), "svg")
        .expect("the namespace is the drawings'");
    View(element.into()).attr("class", class).attr("viewBox", "0 0 24 24").html(shape)
}

/// Several nodes without an element around them, or none; only children may be added.
pub(crate) fn fragment() -> View {
    View(document().create_document_fragment().into())
}

/// The element that everything is shown in.
pub(crate) fn body() -> View {
    View(document().body().expect("the page has a body").into())
}

/// Runs at once and after each change of what it reads, until the views around it go.
pub(crate) fn follow(run: impl FnMut() + 'static) {
    follow_boxed(Box::new(run));
}

fn follow_boxed(mut run: Box<dyn FnMut()>) {
    let effect = RenderEffect::new(move |_| run());
    on_cleanup(move || drop(effect));
}

/// As [`follow`], but for the first time when the views stand in the page.
pub(crate) fn follow_later(run: impl FnMut() + 'static) {
    follow_later_boxed(Box::new(run));
}

fn follow_later_boxed(run: Box<dyn FnMut()>) {
    Effect::new(run);
}

impl View {
    /// The element, as what it is known to be.
    pub(crate) fn element<T: JsCast>(&self) -> T {
        self.0.clone().unchecked_into()
    }

    fn as_element(&self) -> &Element {
        self.0.unchecked_ref()
    }

    /// An attribute.
    pub(crate) fn attr(self, name: &str, value: &str) -> Self {
        // Fails only for a name that is none.
        let _ = self.as_element().set_attribute(name, value);
        self
    }

    /// Attributes without a value.
    pub(crate) fn flags(mut self, names: &[&str]) -> Self {
        for name in names {
            self = self.attr(name, "");
        }
        self
    }

    /// An attribute that follows signals.
    pub(crate) fn attr_of<T: Into<Words>>(self, name: &'static str, value: impl Fn() -> T + 'static) -> Self {
        self.attr_maybe(name, move || Some(value()))
    }

    /// An attribute that follows signals and is not always there.
    pub(crate) fn attr_maybe<T: Into<Words>>(
        self,
        name: &'static str,
        value: impl Fn() -> Option<T> + 'static,
    ) -> Self {
        let element = self.element::<Element>();
        keep(Box::new(move || value().map(Into::into)), move |value| {
            let _ = match value {
                Some(value) => element.set_attribute(name, value),
                None => element.remove_attribute(name),
            };
        });
        self
    }

    /// The name of the control: for readers, and for pointers that rest on it.
    pub(crate) fn named(self, name: &str) -> Self {
        self.attr("aria-label", name).attr("title", name)
    }

    /// A name that follows signals.
    pub(crate) fn named_by<T: Into<Words>>(self, name: impl Fn() -> T + Clone + 'static) -> Self {
        self.attr_of("aria-label", name.clone()).attr_of("title", name)
    }

    /// A class that the element has while `on` says so.
    pub(crate) fn class_when(self, class: &'static str, on: impl Fn() -> bool + 'static) -> Self {
        let classes = self.as_element().class_list();
        follow(move || {
            let _ = classes.toggle_with_force(class, on());
        });
        self
    }

    /// A property that follows signals.
    pub(crate) fn property_of<T: Into<Words>>(
        self,
        name: &'static str,
        value: impl Fn() -> T + 'static,
    ) -> Self {
        let element = self.element::<Element>();
        keep(Box::new(move || Some(value().into())), move |value| {
            let _ = Reflect::set(&element, &name.into(), &value.unwrap_or_default().into());
        });
        self
    }

    /// A property that is true.
    pub(crate) fn property(self, name: &str) -> Self {
        let _ = Reflect::set(&self.0, &name.into(), &true.into());
        self
    }

    /// Calls `react` for each event of that name.
    pub(crate) fn on(self, event: &str, react: impl FnMut(Event) + 'static) -> Self {
        self.on_boxed(event, Box::new(react));
        self
    }

    fn on_boxed(&self, event: &str, react: Box<dyn FnMut(Event)>) {
        // The browser frees it with the element.
        let callback = Closure::wrap(react).into_js_value();
        let _ = self.0.add_event_listener_with_callback(event, callback.unchecked_ref());
    }

    /// Calls `act` for each click.
    pub(crate) fn on_click(self, mut act: impl FnMut() + 'static) -> Self {
        self.on("click", move |_| act())
    }

    /// Markup of the page's own.
    pub(crate) fn html(self, markup: &str) -> Self {
        self.as_element().set_inner_html(markup);
        self
    }

    /// Adds a node.
    pub(crate) fn child(self, child: Self) -> Self {
        self.append(&child.0);
        self
    }

    /// Adds each node.
    pub(crate) fn children(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().for_each(|child| self.append(&child.0));
        self
    }

    fn append(&self, node: &Node) {
        // Fails only for a node that cannot have children.
        let _ = self.0.append_child(node);
    }

    /// Adds a text.
    pub(crate) fn text(self, text: &str) -> Self {
        self.append(&document().create_text_node(text));
        self
    }

    /// Adds a text that follows signals.
    pub(crate) fn text_of<T: Into<Words>>(self, text: impl Fn() -> T + 'static) -> Self {
        let node = self.mark();
        keep(Box::new(move || Some(text().into())), move |text| node.set_node_value(text));
        self
    }

    /// Adds what `make` makes, made anew after each change of what it reads.
    pub(crate) fn dynamic(self, make: impl Fn() -> Self + 'static) -> Self {
        self.dynamic_boxed(Box::new(make));
        self
    }

    fn dynamic_boxed(&self, make: Box<dyn Fn() -> Self>) {
        let (start, end) = (self.mark(), self.mark());
        follow(move || {
            let made = make();
            let Some(parent) = end.parent_node() else { return };
            while let Some(old) = start.next_sibling().filter(|old| *old != end) {
                let _ = parent.remove_child(&old);
            }
            let _ = parent.insert_before(&made.0, Some(&end));
        });
    }

    /// Adds what `make` makes while `on` says so.
    pub(crate) fn when(
        self,
        on: impl Fn() -> bool + Send + Sync + 'static,
        make: impl Fn() -> Self + 'static,
    ) -> Self {
        self.when_boxed(Box::new(on), Box::new(make));
        self
    }

    fn when_boxed(&self, on: Box<dyn Fn() -> bool + Send + Sync>, make: Box<dyn Fn() -> Self>) {
        let on = Memo::new(move |_| on());
        self.dynamic_boxed(Box::new(move || if on.get() { make() } else { fragment() }));
    }

    /// Adds one element for each key. It stays as long as its key does, and moves only if the order changes.
    pub(crate) fn each(
        self,
        keys: impl Fn() -> Vec<String> + 'static,
        make: impl Fn(String) -> Self + 'static,
    ) -> Self {
        let end = self.mark();
        let owner = Owner::current().unwrap_or_default();
        let shown = RefCell::new(Vec::<(String, Node, Owner)>::new());
        follow(move || {
            let keys = keys();
            let Some(parent) = end.parent_node() else { return };
            let mut shown = shown.borrow_mut();
            shown.retain(|(key, node, owner)| {
                let stays = keys.contains(key);
                if !stays {
                    owner.cleanup();
                    let _ = parent.remove_child(node);
                }
                stays
            });
            let mut next = end.clone();
            for key in keys.into_iter().rev() {
                let known = shown.iter().find(|(known, ..)| *known == key).map(|(_, node, _)| node.clone());
                let node = known.unwrap_or_else(|| {
                    let own = owner.child();
                    let node = own.with(|| make(key.clone())).0;
                    shown.push((key, node.clone(), own));
                    node
                });
                // A video that is put in again stops, even in its old place.
                if node.next_sibling().as_ref() != Some(&next) {
                    let _ = parent.insert_before(&node, Some(&next));
                }
                next = node;
            }
        });
        self
    }

    /// Adds a text node that marks a place.
    fn mark(&self) -> Node {
        let node = document().create_text_node("").into();
        self.append(&node);
        node
    }
}

/// Where a value is put.
type Put = Box<dyn Fn(Option<&str>)>;

/// Puts a value where it belongs whenever it is another one.
fn keep(value: Box<dyn Fn() -> Option<Words>>, put: impl Fn(Option<&str>) + 'static) {
    keep_boxed(value, Box::new(put));
}

fn keep_boxed(value: Box<dyn Fn() -> Option<Words>>, put: Put) {
    let mut shown = None;
    follow(move || {
        let value = Some(value());
        if value != shown {
            put(value.as_ref().and_then(Option::as_deref));
            shown = value;
        }
    });
}

fn document() -> Document {
    crate::signals::document()
}
