use mesh_core::meta::{Meta, Reply};

use super::*;

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| Name::new(*name).unwrap()).collect()
}

fn plan(own: &str, all: &[&str]) -> Result<Plan, Error> {
    static_(&Name::new(own).unwrap(), names(all), Options::default())
}

#[test]
fn all_first_nodes_have_the_same_plan() {
    let all = ["a", "b", "c", "d", "e"];
    let plans: Vec<_> = all.iter().map(|own| plan(own, &all).unwrap()).collect();
    for (number, one) in (1..).zip(&plans) {
        assert_eq!(one.own, NodeNumber(number));
        assert_eq!((&one.groups, &one.nodes), (&plans[0].groups, &plans[0].nodes));
    }
    let groups = &plans[0].groups;
    assert_eq!(groups.len(), 17);
    assert!(groups.iter().all(|(_, members)| members.voters.len() == 3));
    assert_eq!(groups[0].1.learners.len(), 2, "every node knows the cluster");
    let own: Vec<_> = plans.iter().map(|plan| plan.own_groups().count()).collect();
    assert_eq!(own.iter().sum::<usize>(), 17 * 3 + 2);
}

#[test]
fn alone_a_node_has_everything_and_founds_what_it_planned() {
    let plan = standalone(Name::new("a").unwrap(), Options { shards: 4, replicas: 3 }).unwrap();
    assert_eq!(plan.own_groups().count(), 5);
    let mut meta = Meta::new();
    assert_eq!(meta.apply(1, plan.found(Uuid([7; 16]), vec![Uuid([1; 16])])), Reply::Done);
    assert_eq!((meta.replicas(), meta.shards().count()), (1, 4));
}

#[test]
fn as_many_replicas_as_there_are_nodes_for() {
    for (nodes, replicas) in [(1, 1), (2, 1), (3, 3), (4, 3), (5, 3)] {
        let all = &["a", "b", "c", "d", "e"][..nodes];
        assert_eq!(plan("a", all).unwrap().groups[1].1.voters.len(), replicas, "{nodes} nodes");
    }
}

#[test]
fn what_can_not_be() {
    let name = |text: &str| Name::new(text).unwrap();
    assert_eq!(plan("a", &[]), Err(Error::Nodes(0)));
    assert_eq!(plan("a", &["a", "b", "a"]), Err(Error::Twice(name("a"))));
    assert_eq!(plan("d", &["a", "b"]), Err(Error::NotAmong(name("d"))));
    let alone = |shards, replicas| standalone(name("a"), Options { shards, replicas });
    assert_eq!(alone(0, 1), Err(Error::Shards(0)));
    assert_eq!(alone(SHARDS_MAX + 1, 1), Err(Error::Shards(SHARDS_MAX + 1)));
    assert!(alone(SHARDS_MAX, 1).is_ok());
    assert_eq!(alone(1, 2), Err(Error::Replicas(2)));
    let many: Vec<_> = (0..=NODES_MAX).map(|number| name(&number.to_string())).collect();
    let options = Options { shards: 1, replicas: 1 };
    assert!(static_(&name("0"), many[..NODES_MAX].to_vec(), options).is_ok());
    assert_eq!(static_(&name("0"), many, options), Err(Error::Nodes(NODES_MAX + 1)));
}
