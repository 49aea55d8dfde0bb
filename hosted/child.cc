// SPDX-License-Identifier: Apache-2.0
#include "hosted/child.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hosted/files.h"
#include "hosted/text.h"

extern char** environ;

namespace hosted {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> EnglishEnvironment() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with("LC_ALL=")) continue;
    out.emplace_back(*entry);
  }
  out.emplace_back("LC_ALL=C");
  return out;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

int MillisecondsTo(Clock::time_point end) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30));
}

// The process group of a child that has not been waited for.
class Child {
 public:
  explicit Child(pid_t pid)
      : pid_(pid),
        // Not in glibc 2.34. Linux 5.3.
        ended_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  ~Child() { Wait(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Readable once the child has ended; -1: some sandboxes have no such thing.
  int ended() const { return ended_.get(); }
  bool HasEnded() {
    waited_ = waited_ || waitpid(pid_, &status_, WNOHANG) == pid_;
    return waited_;
  }
  void Kill() { kill(-pid_, SIGKILL); }
  // Its status, as waitpid() has it.
  int Wait() {
    while (!waited_ && waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    waited_ = true;
    return status_;
  }

 private:
  pid_t pid_;
  Descriptor ended_;
  bool waited_ = false;
  int status_ = 0;
};

// What the pipe has now, or much of it: somebody may fill it for ever. False:
// at its end.
bool Drain(int fd, size_t limit, std::string& text) {
  std::array<char, 4096> part;
  for (size_t all = 0; all <= limit; all += part.size()) {
    const ssize_t got = read(fd, part.data(), part.size());
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    text.append(part.data(),
                std::min(static_cast<size_t>(got), limit - text.size()));
  }
  return true;
}

// Keeps the signals that would end us until the child has been ended: it is not
// in our process group, and a terminal's Ctrl-C does not reach it.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    sigemptyset(&held);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction action = {};
      sigaction(number, nullptr, &action);
      if (action.sa_handler != SIG_IGN) sigaddset(&held, number);
    }
    pthread_sigmask(SIG_BLOCK, &held, &before_);
    came_ = Descriptor(signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~HeldSignals() { Release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // Readable once one came.
  int came() const { return came_.get(); }
  // What the caller had blocked.
  const sigset_t& before() const { return before_; }
  // One that came, or 0.
  int Take() {
    signalfd_siginfo info;
    return read(came_.get(), &info, sizeof(info)) == sizeof(info)
               ? static_cast<int>(info.ssi_signo)
               : 0;
  }
  // From here on they come as they did before.
  void Release() {
    if (!std::exchange(holds_, false)) return;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  bool holds_ = true;
  sigset_t before_;
  Descriptor came_;
};

enum class Ending { kOfItself, kEnough, kDeadline, kSignal };

// Reads what the child prints until one of these; `signal` is the one of
// kSignal.
Ending Listen(Child& child, int out, HeldSignals& signals,
              const ChildOptions& options, std::string& text, int& signal) {
  constexpr int kLookAgain = 20;  // milliseconds, if nobody says when
  const Clock::time_point deadline = Clock::now() + options.time;
  bool open = true;
  while (Clock::now() < deadline) {
    // A grandchild may keep the pipe: the child's own end counts.
    std::array<pollfd, 3> events = {
        pollfd{.fd = open ? out : -1, .events = POLLIN, .revents = 0},
        pollfd{.fd = child.ended(), .events = POLLIN, .revents = 0},
        pollfd{.fd = signals.came(), .events = POLLIN, .revents = 0}};
    const int left = MillisecondsTo(deadline);
    const int ready =
        poll(events.data(), events.size(),
             child.ended() < 0 ? std::min(left, kLookAgain) : left);
    if (ready < 0 && errno != EINTR) return Ending::kDeadline;
    signal = signals.Take();
    if (signal != 0) return Ending::kSignal;
    // In this order: what it printed before its end is in the pipe then.
    const bool ended = child.HasEnded();
    const size_t before = text.size();
    if (open) open = Drain(out, options.output, text);
    if (text.size() > before && options.enough && options.enough(text)) {
      return Ending::kEnough;
    }
    if (ended) return Ending::kOfItself;
  }
  return Ending::kDeadline;
}

// Standard input: a pipe that holds `input` and has no writer.
absl::StatusOr<Descriptor> InputOf(base::Bytes input, const std::string& name) {
  static_assert(kMaxChildInput <= PIPE_BUF);
  if (input.size() > kMaxChildInput) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": too much for its standard input"));
  }
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return SystemError(name);
  Descriptor out(ends[0]);
  const Descriptor in(ends[1]);
  if (!input.empty() && write(in.get(), input.data(), input.size()) !=
                            static_cast<ssize_t>(input.size())) {
    return SystemError(name);
  }
  // The program gets this end as its own, and may not know of O_NONBLOCK.
  fcntl(out.get(), F_SETFL, 0);
  return out;
}

struct Actions {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  Actions() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~Actions() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

}  // namespace

std::string LastWords(std::string_view text) {
  constexpr size_t kEnough = 600;
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > kEnough) text.remove_prefix(text.size() - kEnough);
  return text.empty() ? "it said nothing" : Printable(text);
}

absl::StatusOr<ChildOutput> RunChild(std::span<const std::string> words,
                                     const ChildOptions& options) {
  const std::string name = Printable(words[0]);
  auto input = InputOf(options.input, name);
  if (!input.ok()) return input.status();
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError(name);
  const Descriptor out(ends[0]);
  Descriptor in(ends[1]);
  fcntl(out.get(), F_SETFL, O_NONBLOCK);
  HeldSignals signals;
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.files, input->get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions.files, in.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions.files, in.get(), STDERR_FILENO);
  posix_spawnattr_setflags(&actions.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&actions.attributes, 0);
  posix_spawnattr_setsigmask(&actions.attributes, &signals.before());
  std::vector<std::string> arguments(words.begin(), words.end());
  std::vector<std::string> environment =
      options.environment.empty() ? EnglishEnvironment() : options.environment;
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, words[0].c_str(), &actions.files, &actions.attributes,
                   Pointers(arguments).data(), Pointers(environment).data());
  if (error != 0) {
    errno = error;
    return SystemError(name);
  }
  Child child(pid);
  in.Close();
  input->Close();
  ChildOutput output;
  int signal = 0;
  const Ending ending =
      Listen(child, out.get(), signals, options, output.text, signal);
  if (ending != Ending::kOfItself) child.Kill();
  const int status = child.Wait();
  switch (ending) {
    case Ending::kOfItself:
      break;
    case Ending::kEnough:
      output.stopped = true;
      return output;
    case Ending::kDeadline:
      return absl::DeadlineExceededError(
          absl::StrCat(name, ": did not end in time"));
    case Ending::kSignal:
      if (options.on_signal) options.on_signal();
      signals.Release();
      raise(signal);
      return absl::CancelledError(
          absl::StrCat(name, ": ended, since signal ", signal, " came"));
  }
  if (!WIFEXITED(status)) {
    return absl::AbortedError(absl::StrCat(name, ": ended by signal ",
                                           WTERMSIG(status), ": ",
                                           LastWords(output.text)));
  }
  output.exit_code = WEXITSTATUS(status);
  return output;
}

}  // namespace hosted
