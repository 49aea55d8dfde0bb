// SPDX-License-Identifier: Apache-2.0
#include "hosted/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
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

// False: it has not ended by then.
bool ReadToItsEnd(Child& child, int out, Clock::time_point deadline,
                  size_t limit, std::string& text) {
  constexpr int kLookAgain = 20;  // milliseconds, if nobody says when
  bool open = true;
  while (Clock::now() < deadline) {
    // A grandchild may keep the pipe: the child's own end counts.
    std::array<pollfd, 2> events = {
        pollfd{.fd = open ? out : -1, .events = POLLIN, .revents = 0},
        pollfd{.fd = child.ended(), .events = POLLIN, .revents = 0}};
    const int left = MillisecondsTo(deadline);
    const int ready =
        poll(events.data(), events.size(),
             child.ended() < 0 ? std::min(left, kLookAgain) : left);
    if (ready < 0 && errno != EINTR) return false;
    // In this order: what it printed before its end is in the pipe then.
    const bool ended = child.HasEnded();
    if (open) open = Drain(out, limit, text);
    if (ended) return true;
  }
  return false;
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

absl::StatusOr<ChildOutput> RunChild(std::span<const std::string> words,
                                     const ChildLimits& limits) {
  const std::string name = Printable(words[0]);
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError(name);
  const Descriptor out(ends[0]);
  Descriptor in(ends[1]);
  fcntl(out.get(), F_SETFL, O_NONBLOCK);
  Actions actions;
  posix_spawn_file_actions_addopen(&actions.files, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions.files, in.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions.files, in.get(), STDERR_FILENO);
  posix_spawnattr_setflags(&actions.attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&actions.attributes, 0);
  std::vector<std::string> arguments(words.begin(), words.end());
  std::vector<std::string> environment = EnglishEnvironment();
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
  ChildOutput output;
  if (!ReadToItsEnd(child, out.get(), Clock::now() + limits.time, limits.output,
                    output.text)) {
    child.Kill();
    child.Wait();
    return absl::DeadlineExceededError(
        absl::StrCat(name, ": did not end in time"));
  }
  const int status = child.Wait();
  if (!WIFEXITED(status)) {
    return absl::AbortedError(absl::StrCat(name, ": ended by a signal"));
  }
  output.exit_code = WEXITSTATUS(status);
  return output;
}

}  // namespace hosted
