import torch
from conftest import tiny_model

from model import fake_q4_0
from quantize_planner import gptq, masters_of, quantize


def test_the_values_are_on_q4_0s_grid_and_stay_there():
    torch.manual_seed(0)
    inputs = torch.randn(500, 96)
    rounded = gptq(torch.randn(40, 96), inputs.T @ inputs)
    assert torch.equal(fake_q4_0(rounded), rounded)


def test_what_a_matrix_computes_changes_less_than_by_rounding_to_the_nearest():
    torch.manual_seed(0)
    inputs = torch.randn(2000, 128) @ torch.randn(128, 128) * torch.logspace(0, -2, 128)  # correlated, some far larger
    weight = torch.randn(64, 128)
    error = lambda rounded: ((inputs @ (rounded - weight).T) ** 2).mean()
    assert error(gptq(weight, inputs.T @ inputs)) < 0.6 * error(fake_q4_0(weight))


def test_the_masters_are_rounded_to_the_same_values_and_stay_near_the_weights():
    torch.manual_seed(0)
    weight, inputs = torch.randn(40, 96), torch.randn(500, 96)
    rounded = gptq(weight, inputs.T @ inputs)
    masters = masters_of(weight, rounded)
    assert torch.equal(fake_q4_0(masters), rounded)
    assert (masters - weight).abs().mean() < 0.5 * (rounded - weight).abs().mean()


def test_inputs_that_never_come_and_groups_of_zeros_do_no_harm():
    weight = torch.randn(8, 64)
    weight[:, :32] = 0
    hessian = torch.zeros(64, 64)
    hessian[40:, 40:] = torch.eye(24)
    rounded = gptq(weight, hessian)
    assert torch.isfinite(rounded).all() and (rounded[:, :32] == 0).all()


def test_a_whole_model_ends_on_the_grid_and_near_what_it_said():
    model = tiny_model()
    tokens = torch.randint(0, model.config.vocab, (16, 24))
    with torch.no_grad():
        before = model(tokens)
        quantize(model, [row.numpy() for row in tokens], say=lambda *_, **__: None)
        ours = ((model(tokens) - before) ** 2).mean()
        nearest = tiny_model()
        for weight in nearest.blk.parameters():
            if weight.dim() == 2:
                weight.data = fake_q4_0(weight.data)
        assert ours < ((nearest(tokens) - before) ** 2).mean()
    assert all(torch.equal(fake_q4_0(w), w) for w in model.blk.parameters() if w.dim() == 2)
