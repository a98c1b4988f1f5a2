//! Users, passwords, certificates.

use std::time::Duration;

use etcd_client::{Client, Permission};
use mesh_discovery::{
    Record,
    etcd::{self, Tls, User},
    trial::{self, Etcd},
};
use mesh_wire::code::Code;

use crate::view::{View, node, one_etcd, options};

fn user(name: &str, password: &str) -> Option<User> {
    Some(User { name: name.into(), password: password.into() })
}

fn start(etcd: &Etcd, own: Record, user: Option<User>) -> View {
    View::new(etcd::start(own, etcd::Options { user, ..options(etcd.endpoints()) }).unwrap())
}

/// Switches users on: `mesh` may do what a node needs, `other` something else.
async fn with_users(etcd: &Etcd) -> Client {
    let mut client = etcd.client(0, None).await.unwrap();
    let role = async |client: &mut Client, name: &str, prefix: &str| {
        client.role_add(name).await.unwrap();
        let permission = Permission::read_write(prefix).with_prefix();
        client.role_grant_permission(name, permission).await.unwrap();
        client.user_add(name, "right", None).await.unwrap();
        client.user_grant_role(name, name).await.unwrap();
    };
    role(&mut client, "mesh", "/mesh/trial/").await;
    role(&mut client, "other", "/other/").await;
    client.role_add("root").await.unwrap();
    client.user_add("root", "root", None).await.unwrap();
    client.user_grant_role("root", "root").await.unwrap();
    client.auth_enable().await.unwrap();
    etcd.client(0, user("root", "root")).await.unwrap()
}

#[tokio::test]
async fn who_may_not_is_refused_and_told_why() {
    let etcd = one_etcd().await;
    let _root = with_users(&etcd).await;
    for wrong in [user("mesh", "wrong"), user("nobody", "right"), user("other", "right"), None] {
        let shown = format!("{wrong:?}");
        assert_eq!(start(&etcd, node("own", 1), wrong).refused().await, Code::DiscoveryDenied, "{shown}");
    }
    let mut own = start(&etcd, node("own", 1), user("mesh", "right"));
    own.registered().await;
    own.found(1, 1).await;
    own.discovery.leave(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn a_password_that_is_changed_later_is_reported_and_ends_nothing() {
    let mut etcd = one_etcd().await;
    let mut root = with_users(&etcd).await;
    let mut own = start(&etcd, node("own", 1), user("mesh", "right"));
    own.registered().await;
    root.user_change_password("mesh", "other").await.unwrap();
    // Connections that are there have a token that is good until they end.
    etcd.kill(0).unwrap();
    etcd.restart(0).await.unwrap();
    while own.trouble().await != Code::DiscoveryDenied {}
    let mut root = etcd.client(0, user("root", "root")).await.unwrap();
    root.user_change_password("mesh", "right").await.unwrap();
    own.recovered().await;
}

#[tokio::test]
async fn tls_is_verified_on_both_sides() {
    let secure =
        || async { Etcd::start(trial::Options { tls: true, ..trial::Options::default() }).await.unwrap() };
    let (etcd, strange) = (secure().await, secure().await);
    let start = |tls: Tls| {
        let options = etcd::Options { tls: Some(tls), ..options(etcd.endpoints()) };
        View::new(etcd::start(node("own", 1), options).unwrap())
    };
    let right = etcd.tls().unwrap();
    let other = strange.tls().unwrap();
    for (wrong, what) in [
        (other.clone(), "another CA"),
        (Tls { server_name: Some("elsewhere.example".into()), ..right.clone() }, "another name"),
        (Tls { identity: None, ..right.clone() }, "no certificate"),
        (Tls { identity: other.identity, ..right.clone() }, "a certificate of another CA"),
    ] {
        assert_eq!(start(wrong).refused().await, Code::DiscoveryTlsFailed, "{what}");
    }
    start(right).registered().await;
}
