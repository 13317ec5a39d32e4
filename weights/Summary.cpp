// See Summary.h. The listener hangs on the dialect, as source places do.
#include "weights/Summary.h"
#include "dialect/Xfmr.h"
#include "mlir/IR/DialectInterface.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>
#include <unistd.h>

using namespace mlir;

namespace xfmr {
namespace {

struct Listener : DialectInterface::Base<Listener> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Listener)
  explicit Listener(Dialect *dialect) : Base(dialect) {}
  std::function<void(const std::string &)> line;
  OnProgress progress;
  std::mutex turn;
};

Listener &attach(MLIRContext *context) {
  Dialect *dialect = context->getOrLoadDialect<XfmrDialect>();
  if (!dialect->getRegisteredInterface<Listener>())
    dialect->addInterface(std::make_unique<Listener>(dialect));
  return const_cast<Listener &>(*dialect->getRegisteredInterface<Listener>());
}

// Null where nobody listens.
Listener *attached(MLIRContext *context) {
  auto *dialect = context->getLoadedDialect<XfmrDialect>();
  return dialect ? const_cast<Listener *>(dialect->getRegisteredInterface<Listener>()) : nullptr;
}

} // namespace

void hearSummaries(MLIRContext *context, std::function<void(const std::string &line)> hear) {
  attach(context).line = std::move(hear);
}

void hearProgress(MLIRContext *context, OnProgress hear) { attach(context).progress = std::move(hear); }

void summarise(MLIRContext *context, const std::string &line) {
  Listener *listener = attached(context);
  if (!listener || !listener->line)
    return;
  std::lock_guard<std::mutex> lock(listener->turn);
  listener->line(line);
}

void reportProgress(MLIRContext *context, const std::string &what, int64_t done, int64_t total) {
  Listener *listener = attached(context);
  if (!listener || !listener->progress)
    return;
  std::lock_guard<std::mutex> lock(listener->turn);
  listener->progress(what, done, total);
}

void printSummaries(MLIRContext *context, const std::string &tool) {
  hearSummaries(context, [tool](const std::string &line) { llvm::errs() << tool << ": " << line << "\n"; });
  if (!isatty(STDERR_FILENO))
    return;
  hearProgress(context, [](const std::string &what, int64_t done, int64_t total) {
    llvm::errs() << "\r" << what << " " << done << " of " << total << (done == total ? "\r\033[K" : "");
  });
}

} // namespace xfmr
