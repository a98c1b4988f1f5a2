//! Checks of what a link over a network needs: authorities, one's own certificate, its key.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mesh_client::Code;
use mesh_identity::describe::{self, Description, State};
use mesh_identity::set::{self, CertSet, Source, Who};
use mesh_wire::name::Name;

use super::finding::{Finding, Findings};
use crate::commands::cert::show::span;
use crate::credentials::Credentials;
use crate::target::Target;

const GROUP: &str = "certificates";
/// A certificate is worth a look when less than one part in so many of its time is left.
const LAST_PART: i64 = 5;

/// Loads the certificates that the links would use, and looks at how long they hold. Nothing is said where no link goes
/// over a network.
pub(super) fn check(target: &Target, findings: &mut Findings) {
    let network: Vec<_> = target.endpoints.iter().filter_map(|endpoint| endpoint.authority()).collect();
    if network.is_empty() {
        return;
    }
    match source(&target.credentials) {
        Ok(None) if network.iter().all(|authority| authority.is_loopback()) => findings.add(
            GROUP,
            Finding::ok("none are named: enough for a node on this machine with --insecure-loopback"),
        ),
        Ok(None) => findings.add(GROUP, Finding::failed("a CA to verify the node with", Code::CaRequired)),
        Ok(Some(source)) => loaded(&source, target, SystemTime::now(), findings),
        Err(finding) => findings.add(GROUP, finding),
    }
}

/// Where certificates are loaded from, as the client does it.
fn source(credentials: &Credentials) -> Result<Option<Source>, Finding> {
    let name = credentials.identity.as_deref().map(Name::new).transpose();
    let name = name.map_err(|error| {
        Finding::failed("the name of the service is one", error.code()).because(error.to_string())
    })?;
    let who = Who::Service { name };
    let Credentials { certs, ca, cert, key, .. } = credentials.clone();
    Ok(match (certs, ca) {
        (Some(path), _) => Some(Source::Directory { path, who }),
        (None, Some(ca)) => Some(Source::Files { ca, cert, key, crl: None, who }),
        (None, None) => None,
    })
}

fn loaded(source: &Source, target: &Target, now: SystemTime, findings: &mut Findings) {
    let place = target.credentials.shown();
    let set = match CertSet::load(source, now) {
        Ok(set) => set,
        Err(error) => {
            let mut finding =
                Finding::failed(format!("{place} can be used"), error.code()).because(error.to_string());
            if let set::Error::Ambiguous { .. } = error {
                finding = finding.hint("say which one: --identity NAME");
            }
            findings.add(GROUP, finding);
            return;
        }
    };
    findings
        .add(GROUP, Finding::ok(format!("{place} can be used: keys belong to certificates, the CA to both")));
    for authority in authorities(source, now) {
        findings.add(GROUP, holds(&format!("CA {}", authority.subject), &authority));
    }
    match set.own_chain().first().map(|leaf| describe::certificate(leaf, now)) {
        Some(Ok(own)) => {
            let whose = own.identity.as_ref().map_or_else(|| own.subject.clone(), ToString::to_string);
            findings.add(GROUP, holds(&whose, &own));
        }
        Some(Err(error)) => {
            findings.add(
                GROUP,
                Finding::failed("one's own certificate", error.code()).because(error.to_string()),
            );
        }
        None if target.token.is_some() => {
            findings.add(GROUP, Finding::ok("no certificate of one's own: a token is shown instead"));
        }
        None => findings.add(
            GROUP,
            Finding::warning(
                "no certificate of one's own, and no token",
                "a node asks for one of them, unless it was started with --insecure-loopback",
            )
            .hint("mesh cert issue DIR --service NAME, or MESH_TOKEN")
            .document("docs/guide/network.md#what-each-refusal-means"),
        ),
    }
    for warning in set.warnings() {
        findings.add(
            GROUP,
            Finding::warning("nothing else is to be mended", warning.as_str())
                .document("docs/guide/network.md#rotation"),
        );
    }
}

/// The certificates of the bundle; those that can't be read were told when the set was loaded.
fn authorities(source: &Source, now: SystemTime) -> Vec<Description> {
    let bundle: Option<PathBuf> = match source {
        Source::Directory { path, .. } => {
            ["ca.pem", "ca.crt"].into_iter().map(|name| path.join(name)).find(|path| path.exists())
        }
        Source::Files { ca, .. } => Some(ca.clone()),
    };
    let describe = |path: &Path| describe::file(path, now).unwrap_or_default();
    bundle.as_deref().map(describe).unwrap_or_default()
}

/// How long a certificate is still good for.
fn holds(whose: &str, certificate: &Description) -> Finding {
    let left = Duration::from_secs(certificate.seconds_left.unsigned_abs());
    let what = match certificate.state {
        State::Valid => format!("{whose} is valid for {}, until {}", span(left), certificate.not_after),
        State::Expired => format!("{whose} expired {} ago, at {}", span(left), certificate.not_after),
        State::NotYetValid => format!("{whose} is not valid before {}", certificate.not_before),
    };
    match certificate.state {
        State::Expired => Finding::failed(what, Code::CertificateExpired),
        State::NotYetValid => Finding::failed(what, Code::CertificateNotYetValid),
        State::Valid if soon(certificate) => {
            Finding::warning(what, "when it is over, new links are refused and live ones are closed")
                .hint(if certificate.is_ca {
                    "mesh cert rotate DIR: a new one beside it"
                } else {
                    "mesh cert issue DIR … --force: the files are read again by themselves"
                })
                .document("docs/guide/network.md#rotation")
        }
        State::Valid => Finding::ok(what),
    }
}

/// Whether the end is near, by the time that it was made for.
fn soon(certificate: &Description) -> bool {
    let begin = humantime::parse_rfc3339(&certificate.not_before);
    let end = humantime::parse_rfc3339(&certificate.not_after);
    let (Ok(begin), Ok(end)) = (begin, end) else { return false };
    let whole = end.duration_since(begin).unwrap_or_default();
    certificate.seconds_left < i64::try_from(whole.as_secs()).unwrap_or(i64::MAX) / LAST_PART
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::check::finding::Verdict;
    use mesh_identity::authority::{self, Init, Issue, Validity};
    use mesh_transport::endpoint::Endpoint;

    const DAY: Duration = Duration::from_secs(86_400);

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn validity(ago: Duration, left: Duration) -> Option<Validity> {
        let now = SystemTime::now();
        Some(Validity { not_before: now - ago, not_after: now + left })
    }

    fn directory(service: Option<Validity>) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let init = Init { cluster: name("dev"), validity: None, force: false };
        authority::init(dir.path(), &init).unwrap();
        let issue = Issue { validity: service, ..Issue::service(name("orders")) };
        authority::issue(dir.path(), &issue).unwrap();
        dir
    }

    fn target(url: &str, credentials: Credentials) -> Target {
        let endpoints: Vec<Endpoint> = vec![url.parse().unwrap()];
        Target { endpoints, token: None, credentials, source: crate::target::Source::Option }
    }

    fn found(target: &Target) -> Vec<(Verdict, Option<String>)> {
        let mut findings = Findings::new();
        check(target, &mut findings);
        findings.verdicts()
    }

    fn certs(path: &Path) -> Credentials {
        Credentials { certs: Some(path.to_owned()), ..Credentials::default() }
    }

    fn page(code: Code) -> Option<String> {
        Some(format!("docs/reference/errors/{code}.md (mesh explain {code})"))
    }

    #[test]
    fn without_certificates() {
        let none = Credentials::default;
        assert_eq!(found(&target("unix:///a", none())), []);
        assert_eq!(found(&target("quic://localhost:1", none())), [(Verdict::Ok, None)]);
        let far = found(&target("quic://a.example:1", none()));
        assert_eq!(far, [(Verdict::Failed, page(Code::CaRequired))]);
    }

    #[test]
    fn certificates_that_are_good() {
        let dir = directory(None);
        let found = found(&target("quic://a.example:1", certs(dir.path())));
        assert_eq!(found, [(Verdict::Ok, None), (Verdict::Ok, None), (Verdict::Ok, None)]);
        let only_ca = Credentials { ca: Some(dir.path().join("ca.pem")), ..Credentials::default() };
        let mut target = target("quic://a.example:1", only_ca);
        assert_eq!(self::found(&target)[2].0, Verdict::Warning, "neither certificate nor token");
        target.token = Some("token".to_owned());
        assert_eq!(self::found(&target)[2].0, Verdict::Ok);
    }

    #[test]
    fn the_end_of_a_certificate() {
        let table = [
            (validity(4 * DAY, 2 * DAY), Verdict::Ok, None),
            (validity(9 * DAY, DAY), Verdict::Warning, Some("docs/guide/network.md#rotation".to_owned())),
        ];
        for (validity, verdict, docs) in table {
            let dir = directory(validity);
            assert_eq!(found(&target("quic://a:1", certs(dir.path())))[2], (verdict, docs), "{validity:?}");
        }
        let dir = directory(validity(2 * DAY, Duration::ZERO));
        let over = SystemTime::now() + Duration::from_secs(2);
        let mut findings = Findings::new();
        let target = target("quic://a:1", certs(dir.path()));
        loaded(&source(&target.credentials).unwrap().unwrap(), &target, over, &mut findings);
        assert_eq!(findings.verdicts(), [(Verdict::Failed, page(Code::CertificateExpired))]);
    }

    #[test]
    fn certificates_that_are_bad() {
        let dir = directory(None);
        authority::issue(dir.path(), &Issue::service(name("mail"))).unwrap();
        let several = certs(dir.path());
        assert_eq!(
            found(&target("quic://a:1", several.clone())),
            [(Verdict::Failed, page(Code::CertsAmbiguous))]
        );
        let one = Credentials { identity: Some("mail".to_owned()), ..several };
        assert_eq!(found(&target("quic://a:1", one)).len(), 3);
        std::fs::copy(dir.path().join("service-mail.key"), dir.path().join("service-orders.key")).unwrap();
        let swapped = Credentials { identity: Some("orders".to_owned()), ..certs(dir.path()) };
        assert_eq!(found(&target("quic://a:1", swapped)), [(Verdict::Failed, page(Code::CertsKeyMismatch))]);
        let nowhere = certs(&dir.path().join("nowhere"));
        assert_eq!(found(&target("unix:///a", nowhere.clone())), []);
        assert_eq!(found(&target("quic://a:1", nowhere)), [(Verdict::Failed, page(Code::CertsUnreadable))]);
    }

    #[test]
    fn a_key_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = directory(None);
        let key = dir.path().join("service-orders.key");
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let found = found(&target("quic://a:1", certs(dir.path())));
        assert_eq!(found.iter().filter(|(verdict, _)| *verdict == Verdict::Warning).count(), 1, "{found:?}");
    }
}
