//! Views of a link, for listings.

use actix::{Context, Handler, Message, MessageResult};
use mesh_core::{
    routing::{Mode, SubscriptionId},
    subscription::Status,
};

use super::Subscriber;
use crate::admin::{EndpointInfo, LinkInfo, ResponderInfo, SubscriptionInfo};

/// The link itself.
#[derive(Message)]
#[rtype(result = "LinkInfo")]
pub(crate) struct Describe;

/// Up to `limit` of its subscriptions behind `after`.
#[derive(Message)]
#[rtype(result = "Vec<SubscriptionInfo>")]
pub(crate) struct DescribeSubscriptions {
    pub(crate) after: Option<SubscriptionId>,
    pub(crate) limit: usize,
}

/// Up to `limit` of its responders that belong to a service.
#[derive(Message)]
#[rtype(result = "Vec<ResponderInfo>")]
pub(crate) struct DescribeResponders {
    pub(crate) limit: usize,
}

impl Handler<Describe> for Subscriber {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Context<Self>) -> Self::Result {
        let link = &self.link;
        MessageResult(LinkInfo {
            id: link.id.0,
            name: link.name.clone(),
            identity: link.identity.text.clone(),
            carrier: link.handle.carrier().as_str(),
            remote: link.handle.remote().map(|remote| remote.to_string()),
            rtt_us: link.handle.rtt().and_then(|rtt| rtt.as_micros().try_into().ok()),
            certificate_not_after: link.identity.certificate_not_after(),
            token_expires: link.identity.token_expires(),
            library: link.library.clone(),
            since: link.since,
            subscriptions: self.subscriptions.len() as u64,
            messages_in: link.traffic.in_messages.get(),
            bytes_in: link.traffic.in_bytes.get(),
            messages_out: self.subscriptions.delivered() + self.forwarded,
            bytes_out: link.traffic.out_bytes.get(),
            queued_bytes: link.queued_bytes() as u64,
            dropped: self.subscriptions.dropped(),
            slow: link.gauge.is_slow(),
        })
    }
}

impl Handler<DescribeSubscriptions> for Subscriber {
    type Result = MessageResult<DescribeSubscriptions>;

    fn handle(&mut self, ask: DescribeSubscriptions, _: &mut Context<Self>) -> Self::Result {
        let link = self.link.id.0;
        let statuses = self.subscriptions.statuses(ask.after, ask.limit);
        MessageResult(statuses.into_iter().map(|status| subscription_info(link, &status)).collect())
    }
}

impl Handler<DescribeResponders> for Subscriber {
    type Result = MessageResult<DescribeResponders>;

    fn handle(&mut self, ask: DescribeResponders, _: &mut Context<Self>) -> Self::Result {
        let mut ids: Vec<SubscriptionId> = self.services.keys().copied().collect();
        ids.sort_unstable();
        MessageResult(ids.into_iter().filter_map(|id| self.responder_info(id)).take(ask.limit).collect())
    }
}

impl Subscriber {
    fn responder_info(&self, id: SubscriptionId) -> Option<ResponderInfo> {
        let (stats, spec) = (self.services.get(&id)?, self.subscriptions.get(id)?);
        let service = stats.service.as_ref()?;
        Some(ResponderInfo {
            service: service.name.clone(),
            version: service.version.clone(),
            description: service.description.clone(),
            link: self.link.id.0,
            client: self.link.name.clone(),
            endpoint: EndpointInfo {
                subject: spec.pattern.as_str().to_owned(),
                group: spec.group.as_ref().map(|group| group.as_str().to_owned()),
                in_flight: stats.in_flight,
                requests: stats.requests,
                errors: stats.errors,
                p50_us: stats.quantile_us(0.5),
                p99_us: stats.quantile_us(0.99),
            },
        })
    }
}

fn subscription_info(link: u64, status: &Status) -> SubscriptionInfo {
    let spec = &status.spec;
    SubscriptionInfo {
        link,
        id: spec.id.0,
        pattern: spec.pattern.as_str().to_owned(),
        group: spec.group.as_ref().map(|group| group.as_str().to_owned()),
        mode: match spec.mode {
            Mode::Events => "events",
            Mode::Responder => "responder",
        },
        credit: spec.credit,
        pending: status.pending,
        delivered: status.delivered,
        dropped: status.dropped,
    }
}
