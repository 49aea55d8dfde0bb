// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/name_lookup.h"

#include <utility>

namespace host_proxy {

NameLookup::NameLookup(Resolve resolve) : resolve_(std::move(resolve)) {}

std::optional<NameLookup::Answer> NameLookup::Ask(const std::string& host,
                                                  Time now) {
  const Host& known = hosts_[host];
  if (known.last.has_value()) {
    const Answer& last = *known.last;
    const auto fresh = last.error ? kFailureFresh : kFresh;
    if (now - known.asked < fresh) {
      if (last.error && !known.good.empty()) return Answer{{}, known.good};
      return last;
    }
  }
  if (!under_way_) {
    Start(host, now);
    return std::nullopt;
  }
  if (!known.good.empty()) return Answer{{}, known.good};
  return std::nullopt;
}

void NameLookup::Start(const std::string& host, Time now) {
  under_way_ = true;
  const auto duration_from = std::chrono::steady_clock::now();
  resolve_(
      host, [weak = weak_from_this(), host, now, duration_from](Answer answer) {
        const auto self = weak.lock();
        if (self == nullptr) return;
        self->under_way_ = false;
        Host& entry = self->hosts_[host];
        // A failure counts from its end: it may have taken longer than it is
        // kept.
        entry.asked = now + (std::chrono::steady_clock::now() - duration_from);
        if (!answer.error) entry.good = answer.addresses;
        entry.last = std::move(answer);
      });
}

NameLookup::Resolve SystemResolve(asio::io_context& io) {
  using asio::ip::tcp;
  const auto resolver = std::make_shared<tcp::resolver>(io);
  return [resolver](const std::string& host, NameLookup::Done done) {
    resolver->async_resolve(
        host, "",
        [done = std::move(done)](asio::error_code error,
                                 const tcp::resolver::results_type& results) {
          NameLookup::Answer answer{error, {}};
          for (const auto& result : results) {
            answer.addresses.push_back(result.endpoint().address());
          }
          if (!error && answer.addresses.empty()) {
            answer.error = asio::error::host_not_found;
          }
          done(std::move(answer));
        });
  };
}

}  // namespace host_proxy
