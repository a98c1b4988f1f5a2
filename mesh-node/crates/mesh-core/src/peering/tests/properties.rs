//! Whatever comes in, in whatever order: what comes out keeps the rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const PEERS_MAX: usize = 3;

/// Something that happens.
#[derive(Debug, Clone)]
enum Input {
    Addresses(Vec<u8>),
    /// A dial that is under way ends: with this greeting, or with a code.
    Answer(prop::sample::Index, Result<(u8, u64), Code>),
    Hello(u8, u64, u64),
    /// A link ends.
    Closed(prop::sample::Index, Option<Code>),
    Later(u64),
    Drain,
}

fn input() -> impl Strategy<Value = Input> {
    let code = prop::sample::select(vec![
        Code::ConnectFailed,
        Code::PeerIsSelf,
        Code::PeerDuplicate,
        Code::NodeStopped,
    ]);
    let index = any::<prop::sample::Index>;
    prop_oneof![
        2 => prop::collection::vec(0..6_u8, 0..6).prop_map(Input::Addresses),
        8 => (index(), (0..6_u8, 9..12_u64)).prop_map(|(at, answer)| Input::Answer(at, Ok(answer))),
        4 => (index(), code.clone()).prop_map(|(at, code)| Input::Answer(at, Err(code))),
        8 => (0..6_u8, 9..12_u64, 1..5_u64).prop_map(|(node, incarnation, dial)| Input::Hello(node, incarnation, dial)),
        6 => (index(), prop::option::of(code)).prop_map(|(at, code)| Input::Closed(at, code)),
        8 => (0..6_000_u64).prop_map(Input::Later),
        1 => Just(Input::Drain),
    ]
}

/// Node 0 is the one that is looked at.
fn node(number: u8) -> String {
    format!("n{number}")
}

/// What a shell would know.
#[derive(Debug, Default)]
struct Shell {
    dialling: BTreeSet<LinkNumber>,
    up: BTreeSet<LinkNumber>,
    last: u64,
    is_drained: bool,
}

impl Shell {
    fn follow(&mut self, peering: &mut Peering, greeted: Option<LinkNumber>) -> Result<(), TestCaseError> {
        let mut open = greeted;
        for output in outputs(peering) {
            match output {
                Output::Dial { link, .. } => {
                    prop_assert!(!self.is_drained && link.0 > self.last, "{link:?} after {}", self.last);
                    self.last = link.0;
                    self.dialling.insert(link);
                }
                Output::Admit { link } => {
                    prop_assert_eq!(open.take(), Some(link), "only who has just greeted is admitted");
                    prop_assert!(!self.is_drained);
                    self.up.insert(link);
                }
                Output::Close { link, .. } => {
                    let is_known =
                        self.up.remove(&link) || self.dialling.remove(&link) || open.take() == Some(link);
                    prop_assert!(is_known, "{link:?} is closed, which is not open");
                }
            }
        }
        prop_assert_eq!(open, None, "who greets gets an answer");
        let held: BTreeMap<Name, LinkNumber> =
            peering.peers().map(|peer| (peer.node.clone(), peer.link)).collect();
        prop_assert_eq!(held.values().copied().collect::<BTreeSet<_>>(), self.up.clone());
        prop_assert!(held.len() <= PEERS_MAX && !held.contains_key(&name("n0")));
        Ok(())
    }
}

fn pick(of: &BTreeSet<LinkNumber>, at: prop::sample::Index) -> Option<LinkNumber> {
    (!of.is_empty()).then(|| *of.iter().nth(at.index(of.len())).unwrap())
}

proptest! {
    #[test]
    fn the_rules_hold_whatever_comes(inputs in prop::collection::vec(input(), 1..200), seed: u64) {
        let options = Options { peers_max: PEERS_MAX, ..Options::default() };
        let (mut peering, mut shell) = (Peering::new(options, own("n0"), seed), Shell::default());
        let mut now = Instant::now();
        for input in inputs {
            let mut greeted = None;
            match input {
                Input::Addresses(list) => {
                    let list: Vec<String> = list.into_iter().map(node).collect();
                    peering.handle_addresses(now, &list).unwrap();
                }
                Input::Answer(at, answer) => {
                    let Some(link) = pick(&shell.dialling, at) else { continue };
                    shell.dialling.remove(&link);
                    match answer {
                        Ok((number, incarnation)) => {
                            greeted = Some(link);
                            let greeting = Greeting { incarnation, ..greeting(&node(number), link.0) };
                            peering.handle_welcome(now, link, &greeting);
                        }
                        Err(code) => peering.handle_failed(now, link, code, None),
                    }
                }
                Input::Hello(number, incarnation, dial) => {
                    let link = peering.open();
                    shell.last = link.0;
                    greeted = Some(link);
                    peering.handle_hello(now, link, &Greeting { incarnation, ..greeting(&node(number), dial) });
                }
                Input::Closed(at, code) => {
                    let Some(link) = pick(&shell.up, at) else { continue };
                    shell.up.remove(&link);
                    peering.handle_closed(now, link, code);
                }
                Input::Later(ms) => {
                    now += Duration::from_millis(ms);
                    peering.handle_timeout(now);
                }
                Input::Drain => {
                    // Its own end is told of the links; nothing is dialled or admitted from then on.
                    peering.handle_drain();
                    shell.follow(&mut peering, None)?;
                    shell.is_drained = true;
                    prop_assert!(shell.up.is_empty() && shell.dialling.is_empty());
                }
            }
            shell.follow(&mut peering, greeted)?;
            if let Some(due) = peering.poll_timeout() {
                prop_assert!(due > now || peering.peers().count() >= PEERS_MAX, "what is due was done");
            }
        }
    }
}
