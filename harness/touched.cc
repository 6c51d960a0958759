#include "harness/touched.h"

namespace ordeal::harness {

namespace {

class Remembering : public workloads::Generator::Source {
 public:
  Remembering(workloads::Generator inner, std::shared_ptr<TouchedKeys> touched)
      : inner_(std::move(inner)), touched_(std::move(touched)) {}

  workloads::Step next(const workloads::Context& context, Rng& rng) override {
    workloads::Step step = inner_.next(context, rng);
    if (const auto* next = std::get_if<workloads::Next>(&step)) {
      if (touched_->seen.insert(next->request.key).second)
        touched_->keys.push_back(next->request.key);
    }
    return step;
  }
  void completed(const workloads::Context& context, const Request& request,
                 const Completion& completion) override {
    inner_.completed(context, request, completion);
  }
  std::unique_ptr<Source> clone() const override { return std::make_unique<Remembering>(*this); }

 private:
  workloads::Generator inner_;
  std::shared_ptr<TouchedKeys> touched_;
};

}  // namespace

workloads::Generator remember_keys(workloads::Generator inner,
                                   std::shared_ptr<TouchedKeys> touched) {
  return workloads::Generator(std::make_unique<Remembering>(std::move(inner), std::move(touched)));
}

}  // namespace ordeal::harness
